// Which packages a restart or a rollback would serve: their private copies are kept, all others may go.
import { parseVersion } from '../../package/ids.ts'
import { findRollbackTarget } from '../activation/rollback.ts'
import { listConditions } from '../conditions/conditions.ts'
import type { Db } from '../schema/database.ts'
import { findVersion } from './versions.ts'

/** Digests of what answers, of what challenges it, and of what answered before, over all conditions. */
export async function servingDigests(db: Db): Promise<string[]> {
  const digests: string[] = []
  for (const { id, active, challenger } of await listConditions(db)) {
    if (active) digests.push(active.sha256)
    const before = await findRollbackTarget(db, id)
    const others = [before, challenger && parseVersion(challenger.version)]
    for (const ref of others) {
      const version = ref && (await findVersion(db, ref))
      if (version) digests.push(version.sha256)
    }
  }
  return digests
}
