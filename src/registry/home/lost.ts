// Images that no row of the database names: the database may have been moved away, restored from an older day, or the process
// may have been killed between the two. They are set aside in data/lost, never removed: a person decides.
import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'

export type LostKind = 'uploads' | 'archive'

const folderOf = ({ dataDir }: Pick<Store, 'dataDir'>, kind: LostKind): string =>
  join(dataDir, 'lost', kind)

/** Moves a file there. */
export async function setAside(
  store: Pick<Store, 'dataDir'>,
  { kind, from, name }: { kind: LostKind; from: string; name: string },
): Promise<void> {
  const to = folderOf(store, kind)
  await mkdir(to, { recursive: true, mode: 0o700 })
  await rename(join(from, name), join(to, name))
}

/** Brings back those whose rows are there again. Returns how many. */
export async function bringBack(
  store: Pick<Store, 'dataDir'>,
  { kind, names, to }: { kind: LostKind; names: ReadonlySet<string>; to: string },
): Promise<number> {
  let count = 0
  for (const name of await lostNames(store, kind)) {
    if (!names.has(name)) continue
    await rename(join(folderOf(store, kind), name), join(to, name))
    count++
  }
  return count
}

export async function lostNames(
  store: Pick<Store, 'dataDir'>,
  kind: LostKind,
): Promise<readonly string[]> {
  return readdir(folderOf(store, kind)).catch(() => [])
}

export async function countLost(store: Pick<Store, 'dataDir'>): Promise<number> {
  return (await lostNames(store, 'uploads')).length + (await lostNames(store, 'archive')).length
}

export function lostSentence(count: number): string {
  const images = count === 1 ? '1 image that no row' : `${count} images that no row`
  return `${images} of the database names ${count === 1 ? 'lies' : 'lie'} in data/lost. If the database was moved away or is an older one, stop Roentgen and bring the right one back: they return to their places by themselves. If nobody needs them, remove that folder; they show patients.`
}
