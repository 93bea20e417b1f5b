// Hashes every registered package and keeps what was found: for `roentgen verify`, the nightly pass, and each start.
import { isAppError } from '../../errors.ts'
import type { Precision } from '../../package/schema.ts'
import { verifyVersion } from '../activation/gate-steps.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { type Version, versionFromRow, versionQuery } from './versions.ts'

export interface Verification {
  /** `condition/name@n` */
  readonly version: string
  readonly ok: boolean
  readonly detail: string
}

type Place = Pick<RegistryContext, 'db' | 'store' | 'clock'>

export interface VerifyAllOptions {
  /** Told after each package. */
  readonly onResult?: ((result: Verification, done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A damaged package becomes `quarantined`, one that is intact again loses that mark. */
export async function verifyAll(
  place: Place,
  { onResult, signal }: VerifyAllOptions = {},
): Promise<Verification[]> {
  const versions = await presentVersions(place.db)
  const results: Verification[] = []
  for (const version of versions) {
    if (signal?.aborted) break
    const result = await verifyOne(place, version)
    results.push(result)
    onResult?.(result, results.length, versions.length)
  }
  return results
}

export async function verifyOne(place: Place, version: Version): Promise<Verification> {
  try {
    return { version: version.id, ok: true, detail: await verifyVersion(place, { version }) }
  } catch (error) {
    if (!isAppError(error)) throw error
    return { version: version.id, ok: false, detail: error.message }
  }
}

/** All versions that are not deleted. */
export async function presentVersions(db: Db): Promise<Version[]> {
  const rows = await versionQuery(db)
    .where('status', '<>', 'deleted')
    .orderBy('condition')
    .orderBy('name')
    .orderBy('n')
    .execute()
  return rows.map(versionFromRow)
}

/** The versions that answer now, for the server to load at its start. */
export async function listActive(
  db: Db,
): Promise<{ condition: string; activation: string; version: Version; precision: Precision }[]> {
  const actives = await db
    .selectFrom('conditions')
    .leftJoin('activations', 'activations.id', 'conditions.active_activation')
    .select(['conditions.id', 'active_version', 'active_activation', 'precision'])
    .where('active_version', 'is not', null)
    .orderBy('conditions.id')
    .execute()
  const found = []
  for (const { id, active_version, active_activation, precision } of actives) {
    if (active_version === null || active_activation === null) continue
    const row = await versionQuery(db).where('id', '=', active_version).executeTakeFirstOrThrow()
    found.push({
      condition: id,
      activation: active_activation,
      version: versionFromRow(row),
      precision: precision ?? 'float32',
    })
  }
  return found
}
