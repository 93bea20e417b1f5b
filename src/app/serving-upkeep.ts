// What the home looks after beside loading the active versions: challengers, private copies, and what has had its time.
import { messageOf } from '../errors.ts'
import { parseVersion } from '../package/ids.ts'
import { listConditions } from '../registry/conditions/conditions.ts'
import { packageDir } from '../registry/home/store.ts'
import { emptyBin, retireOldVersions } from '../registry/versions/empty-bin.ts'
import { servingDigests } from '../registry/versions/serving-digests.ts'
import type { listActive } from '../registry/versions/verify-all.ts'
import { getVersion } from '../registry/versions/versions.ts'
import type { Uses } from './services.ts'

/** Loads versions side by side; one that cannot be loaded is logged and does not stop the others. */
export async function restoreActive(
  { store, runtime, log }: Uses<'log' | 'runtime' | 'store'>,
  active: Awaited<ReturnType<typeof listActive>>,
): Promise<void> {
  await Promise.all(
    active.map(async ({ activation, precision, version: { id, sha256, ...ref } }) => {
      const source = { id, sha256, dir: packageDir(store, ref), precision }
      await runtime.restore(source, activation).catch((error: unknown) => {
        log.error({ version: id }, `not loaded: ${messageOf(error)}`)
      })
    }),
  )
}

/** Challengers that were there before this process began; they load by themselves, after all that answer. */
export async function restoreChallengers({
  db,
  store,
  runtime,
}: Uses<'db' | 'runtime' | 'store'>): Promise<void> {
  for (const { challenger } of await listConditions(db)) {
    if (!challenger) continue
    const { id, sha256, ...ref } = await getVersion(db, parseVersion(challenger.version))
    const source = { id, sha256, dir: packageDir(store, ref) }
    runtime.challengers.restore(source, { isBackground: challenger.mode === 'shadow' })
  }
}

/** Keeps the private copies of what answers, of what a rollback would return to, and of what is loaded. */
export async function pruneServingCopies({
  db,
  runtime,
  log,
}: Uses<'db' | 'log' | 'runtime'>): Promise<void> {
  const gone = await runtime.pruneCopies(await servingDigests(db))
  if (gone.length > 0) log.info({ copies: gone.length }, 'private copies removed')
}

/** What leaves by the clock: versions beyond those that are kept, and what lay in the bin for its time. */
export async function applyRetention(
  services: Uses<'clock' | 'config' | 'db' | 'log' | 'store'>,
): Promise<void> {
  const { keepBinMs, keepVersions } = services.config
  const retired = await retireOldVersions(services, { clock: services.clock, keepVersions })
  const emptied = await emptyBin(services, { clock: services.clock, keepBinMs })
  if (retired.length + emptied.length > 0) services.log.info({ retired, emptied }, 'retention')
}
