// What must not lie on two sides of a split: images of one patient, and images that are almost the same. They are linked into
// groups; where a dataset brings its own split, the part that is reported on keeps them and the others lose them.
import type { GivenSplit } from './label-tables.ts'

interface Linkable {
  /** Patient or lesion. */
  readonly group: string | null
  readonly given: GivenSplit | null
}

/** A split that is reported on outranks one that is trained on. */
const RANK: Readonly<Record<GivenSplit, number>> = { train: 0, validation: 1, test: 2 }

/**
 * For each image the name of what it belongs with; null for one that stands alone.
 * @param pairs indices of images that are almost the same
 */
export function linkedGroups(
  items: readonly Linkable[],
  pairs: readonly (readonly [number, number])[],
): (string | null)[] {
  const parent = items.map((_, index) => index)
  const root = (at: number): number => {
    let up = at
    while (parent[up] !== up) up = parent[up] as number
    parent[at] = up
    return up
  }
  const link = (a: number, b: number): void => {
    const [low, high] = [root(a), root(b)].sort((x, y) => x - y) as [number, number]
    parent[high] = low
  }
  const firstOf = new Map<string, number>()
  items.forEach(({ group }, index) => {
    if (group === null) return
    const first = firstOf.get(group)
    if (first === undefined) firstOf.set(group, index)
    else link(first, index)
  })
  for (const [a, b] of pairs) link(a, b)
  const sizes = new Map<number, number>()
  for (const index of items.keys()) sizes.set(root(index), (sizes.get(root(index)) ?? 0) + 1)
  return items.map(({ group }, index) => {
    const top = root(index)
    // The patient's own name where there is one: the draw of a split depends on it.
    return group === null && sizes.get(top) === 1 ? null : (items[top]?.group ?? `like ${top}`)
  })
}

export interface Leak {
  readonly index: number
  readonly reason: string
}

/** Images that the dataset's own split has on a lower side than others of their group. */
export function findLeaks(items: readonly Linkable[], linked: readonly (string | null)[]): Leak[] {
  const members = Map.groupBy([...items.keys()], (index) => linked[index] ?? `alone ${index}`)
  return [...members.values()]
    .flatMap((group) => {
      const highest = Math.max(...group.map((index) => rankOf(items[index])))
      const above = group.filter((index) => rankOf(items[index]) === highest)
      const split = items[above[0] ?? 0]?.given
      return group
        .filter((index) => rankOf(items[index]) < highest)
        .map((index) => {
          const patient = items[index]?.group ?? null
          const isPatient = patient !== null && above.some((at) => items[at]?.group === patient)
          const what = isPatient ? 'Another image of the same patient' : 'Almost the same image'
          return { index, reason: `${what} is in the dataset’s own ${split} split.` }
        })
    })
    .sort((a, b) => a.index - b.index)
}

export function rankOf(item: Pick<Linkable, 'given'> | undefined): number {
  return RANK[item?.given ?? 'train']
}
