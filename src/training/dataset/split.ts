// Which image trains, stops early, calibrates or tests: stratified by class, whole groups (patients) together, and fixed
// by the seed and the files' content alone, so that neither the order of a folder nor a rename changes it.
import { uniformAt } from '../../engine/random/counter-random.ts'
import { counterOf, PURPOSE } from '../../engine/random/draw-purposes.ts'
import type { GivenSplit } from './label-tables.ts'

/** `validation` stops the training early; `calibration` sets temperature and thresholds; `test` is only reported on. */
export type Split = 'train' | 'validation' | 'calibration' | 'test'
export const SPLITS: readonly Split[] = ['train', 'validation', 'calibration', 'test']

export interface Splittable {
  /** Content hash of the file. */
  readonly sha256: string
  /** Classes of the image (indices). */
  readonly classes: readonly number[]
  readonly group: string | null
  readonly given: GivenSplit | null
}

export interface SplitPlan {
  /** One for each input, in order. */
  readonly splits: readonly Split[]
  /** How the split came about, and what is doubtful about it; sentences for the report. */
  readonly notes: readonly string[]
}

type Fractions = Readonly<Record<Split, number>>
const ALL: Fractions = { train: 0.65, validation: 0.1, calibration: 0.1, test: 0.15 }
/** A given validation folder smaller than this (the well-known chest set has 16) is pooled with the training images. */
const MIN_VALIDATION = 40

export function splitImages(items: readonly Splittable[], seed: number): SplitPlan {
  const has = (split: GivenSplit): boolean => items.some(({ given }) => given === split)
  const notes: string[] = []
  const splits: Split[] = items.map(() => 'train')
  const deal = (part: (given: GivenSplit | null) => boolean, fractions: Fractions): void => {
    const chosen = [...items.keys()].filter((index) => part(items[index]?.given ?? null))
    dealGroups(items, chosen, { fractions, seed, splits })
  }
  const validations = items.filter(({ given }) => given === 'validation').length
  if (has('test') && validations >= MIN_VALIDATION) {
    notes.push(
      'The dataset’s own test split is kept; its validation split is halved for early stopping and calibration.',
    )
    deal((given) => given === 'train' || given === null, {
      ...ALL,
      train: 1,
      validation: 0,
      calibration: 0,
      test: 0,
    })
    deal((given) => given === 'validation', {
      train: 0,
      validation: 0.5,
      calibration: 0.5,
      test: 0,
    })
    deal((given) => given === 'test', { train: 0, validation: 0, calibration: 0, test: 1 })
  } else if (has('test')) {
    notes.push(
      'The dataset’s own test split is kept; early stopping and calibration use a part of the rest.',
    )
    deal((given) => given !== 'test', { train: 0.8, validation: 0.1, calibration: 0.1, test: 0 })
    deal((given) => given === 'test', { train: 0, validation: 0, calibration: 0, test: 1 })
  } else if (validations >= MIN_VALIDATION) {
    notes.push(
      'The dataset has no test split: its validation split is halved for calibration and test; early stopping uses a part of the training split.',
    )
    deal((given) => given !== 'validation', {
      train: 0.88,
      validation: 0.12,
      calibration: 0,
      test: 0,
    })
    deal((given) => given === 'validation', {
      train: 0,
      validation: 0,
      calibration: 0.5,
      test: 0.5,
    })
  } else {
    notes.push('65% training, 10% validation, 10% calibration, 15% test; stratified by class.')
    deal(() => true, ALL)
  }
  return { splits, notes: [...notes, ...leaks(items, splits)] }
}

/** Deals whole groups, class by class in the order of their draws, always to the split that is furthest behind. */
function dealGroups(
  items: readonly Splittable[],
  chosen: readonly number[],
  o: { readonly fractions: Fractions; readonly seed: number; readonly splits: Split[] },
): void {
  const groups = new Map<string, number[]>()
  for (const index of chosen) {
    const item = items[index] as Splittable
    const key = item.group === null ? `file ${item.sha256}` : `group ${item.group}`
    groups.set(key, [...(groups.get(key) ?? []), index])
  }
  const strata = new Map<string, { members: number[]; draw: number; key: string }[]>()
  for (const [key, members] of groups) {
    const stratum = items[members[0] as number]?.classes.join('+') ?? ''
    const draw = uniformAt(o.seed, PURPOSE.split, counterOf(key))
    strata.set(stratum, [...(strata.get(stratum) ?? []), { members, draw, key }])
  }
  const wanted = SPLITS.filter((split) => o.fractions[split] > 0)
  for (const stratum of strata.values()) {
    stratum.sort((a, b) => a.draw - b.draw || (a.key < b.key ? -1 : 1))
    const given = new Map(wanted.map((split) => [split, 0]))
    for (const { members } of stratum) {
      const behind = (split: Split): number => (given.get(split) ?? 0) / o.fractions[split]
      const target = wanted.reduce((least, split) =>
        behind(split) < behind(least) ? split : least,
      )
      given.set(target, (given.get(target) ?? 0) + members.length)
      for (const index of members) o.splits[index] = target
    }
  }
}

function leaks(items: readonly Splittable[], splits: readonly Split[]): string[] {
  const sides = new Map<string, Set<Split>>()
  items.forEach(({ group }, index) => {
    if (group === null) return
    sides.set(group, (sides.get(group) ?? new Set()).add(splits[index] as Split))
  })
  const torn = [...sides.values()].filter((found) => found.size > 1).length
  if (torn === 0) return []
  return [
    `${torn} patients have images in more than one of the dataset’s own splits: results may be optimistic.`,
  ]
}
