// What leaves by the clock: old versions that nobody marked go to the bin, and what has lain there long enough goes for
// good. Never what answers, what answered before it, what challenges, or what has a tag or an alias.
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { findVersionRef, type VersionRef } from '../../package/ids.ts'
import { findActivation } from '../activation/activations.ts'
import { listConditions } from '../conditions/conditions.ts'
import { exclusive, STORE } from '../home/exclusive.ts'
import type { Clock, RegistryPlace } from '../home/registry-context.ts'
import { binnedDir } from '../home/store.ts'
import type { Db } from '../schema/database.ts'
import { deleteVersion } from './version-bin.ts'

export interface Retention {
  readonly clock: Clock
  /** How long a deleted package can be put back. */
  readonly keepBinMs: number
  /** How many of the newest versions of each name to keep; 0 keeps all. */
  readonly keepVersions: number
}

/** Ids of versions, and of packages that were set aside damaged, which are gone for good now. */
export async function emptyBin(
  { db, store }: RegistryPlace,
  { clock, keepBinMs }: Omit<Retention, 'keepVersions'>,
): Promise<string[]> {
  const now = clock()
  const before = new Date(now.getTime() - keepBinMs).toISOString()
  const work = async (): Promise<string[]> => {
    const kept = await protectedIds(db)
    const gone: string[] = []
    for (const { id, ...ref } of await binned(db, before)) {
      if (kept.has(id)) continue
      // The row first: a package that it calls gone and that lies there still is removed the next time.
      await db
        .updateTable('versions')
        .where('condition', '=', ref.condition)
        .where('name', '=', ref.name)
        .where('n', '=', ref.n)
        .where('status', '=', 'deleted')
        .set({ emptied_at: now.toISOString() })
        .execute()
      await rm(binnedDir(store, ref), { recursive: true, force: true })
      gone.push(id)
    }
    for (const name of await readdir(store.binDir).catch(() => [])) {
      if (!name.startsWith('damaged-')) continue
      const path = join(store.binDir, name)
      // Its name was changed when it was set aside, which its status time tells.
      if ((await stat(path)).ctime.toISOString() > before) continue
      await rm(path, { recursive: true, force: true })
      gone.push(name)
    }
    return gone
  }
  return exclusive(db, { key: STORE, work })
}

/** Of each name all but the newest `keepVersions` go to the bin, from which they can be put back. Returns their ids. */
export async function retireOldVersions(
  place: RegistryPlace,
  { clock, keepVersions }: Omit<Retention, 'keepBinMs'>,
): Promise<string[]> {
  if (keepVersions === 0) return []
  const kept = await protectedIds(place.db)
  const rows = await place.db
    .selectFrom('versions')
    .select(['condition', 'name', 'n'])
    .where('status', '<>', 'deleted')
    .orderBy('n', 'desc')
    .execute()
  const seen = new Map<string, number>()
  const gone: string[] = []
  for (const ref of rows) {
    const key = `${ref.condition}/${ref.name}`
    const newer = seen.get(key) ?? 0
    seen.set(key, newer + 1)
    const id = `${key}@${ref.n}`
    if (newer < keepVersions || kept.has(id)) continue
    await deleteVersion(place, { ref, actor: { by: 'retention', via: 'policy' }, clock })
    gone.push(id)
  }
  return gone
}

async function binned(db: Db, before: string): Promise<(VersionRef & { id: string })[]> {
  const rows = await db
    .selectFrom('versions')
    .select(['condition', 'name', 'n'])
    .where('status', '=', 'deleted')
    .where('emptied_at', 'is', null)
    .where('deleted_at', '<=', before)
    .execute()
  return rows.map((ref) => ({ ...ref, id: `${ref.condition}/${ref.name}@${ref.n}` }))
}

/** What a clock may not take away. */
async function protectedIds(db: Db): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for (const { active, challenger } of await listConditions(db)) {
    if (challenger) ids.add(challenger.version)
    if (!active) continue
    ids.add(active.version)
    const current = await findActivation(db, active.activation)
    if (current?.previous && findVersionRef(current.previous)) ids.add(current.previous)
  }
  const tagged = await db
    .selectFrom('version_tags')
    .innerJoin('versions', 'versions.id', 'version_tags.version')
    .select(['versions.condition', 'versions.name', 'versions.n'])
    .distinct()
    .execute()
  const named = await db
    .selectFrom('aliases')
    .innerJoin('versions', 'versions.id', 'aliases.version')
    .select(['versions.condition', 'versions.name', 'versions.n'])
    .execute()
  for (const { condition, name, n } of [...tagged, ...named]) ids.add(`${condition}/${name}@${n}`)
  return ids
}
