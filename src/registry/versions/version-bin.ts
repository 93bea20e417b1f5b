// Deleting a version: the row stays and says so, the package moves to the trash of the store, its number is not used again.
// Until the bin is emptied (empty-bin.ts) it can be put back.
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError, isAppError } from '../../errors.ts'
import { exists, moveFolder } from '../../package/durable-files.ts'
import type { VersionRef } from '../../package/ids.ts'
import { verifyPackage } from '../../package/verify-package.ts'
import { recordChanges } from '../conditions/changes.ts'
import { getCondition } from '../conditions/conditions.ts'
import { exclusive, STORE } from '../home/exclusive.ts'
import type { Actor, Clock, RegistryPlace } from '../home/registry-context.ts'
import { binnedDir, packageDir } from '../home/store.ts'
import { intactStatus } from './evaluations.ts'
import { findVersionByDigest, getVersion, type Version } from './versions.ts'

/**
 * @throws AppError `unknown-version`; `conflict` when it answers or challenges now, or an alias points at it. A deleted one stays as it is.
 */
export function deleteVersion(
  place: RegistryPlace,
  { ref, actor, clock }: { ref: VersionRef; actor: Actor; clock: Clock },
): Promise<Version> {
  const work = async (): Promise<Version> => {
    const version = await getVersion(place.db, ref)
    if (version.status === 'deleted') return version
    await refuseInUse(place, version)
    // On a full disk this fails, before anything is changed.
    await mkdir(dirname(binnedDir(place.store, ref)), { recursive: true })
    await place.db.transaction().execute(async (trx) => {
      await trx
        .updateTable('versions')
        .where('condition', '=', ref.condition)
        .where('name', '=', ref.name)
        .where('n', '=', ref.n)
        .set({
          status: 'deleted',
          status_reason: `deleted by ${actor.by}`,
          deleted_at: clock().toISOString(),
        })
        .execute()
      await recordChanges(trx, { subject: version.id, values: { deleted: true }, actor, clock })
    })
    await moveToBin(place, ref)
    return getVersion(place.db, ref)
  }
  // Behind activations of the condition, so that nothing is deleted that is about to answer.
  return exclusive(place.db, {
    key: ref.condition,
    work: () => exclusive(place.db, { key: STORE, work }),
  })
}

/**
 * Puts a deleted version back, under its number and with its history. It is hashed first: damaged in the bin, it comes
 * back quarantined. @throws AppError `unknown-version`; `conflict` when it is not deleted or the same package was
 * registered again; `gone` when the bin was emptied
 */
export function undeleteVersion(
  place: RegistryPlace,
  { ref, actor, clock }: { ref: VersionRef; actor: Actor; clock: Clock },
): Promise<Version> {
  const work = async (): Promise<Version> => {
    const version = await getVersion(place.db, ref)
    if (version.status !== 'deleted') {
      throw new AppError('conflict', `${version.id} is not deleted.`)
    }
    const from = binnedDir(place.store, ref)
    if (!version.isInBin || !(await exists(from))) {
      throw new AppError('gone', `${version.id} is no longer in the trash and cannot be restored.`)
    }
    const twin = await findVersionByDigest(place.db, version.sha256)
    if (twin) {
      throw new AppError('conflict', `The same package was registered again, as ${twin.id}.`)
    }
    const damage = await verifyPackage(from, { expectedSha256: version.sha256 }).then(
      () => null,
      (error: unknown) => {
        if (isAppError(error)) return error.message
        throw error
      },
    )
    // Killed in between, the next start moves the folder back: the row is the truth.
    await moveFolder(from, packageDir(place.store, ref))
    await place.db.transaction().execute(async (trx) => {
      await trx
        .updateTable('versions')
        .where('condition', '=', ref.condition)
        .where('name', '=', ref.name)
        .where('n', '=', ref.n)
        .set({
          status: damage === null ? await intactStatus(trx, version) : 'quarantined',
          status_reason: damage,
          deleted_at: null,
          ...(damage === null && { verified_at: clock().toISOString() }),
        })
        .execute()
      await recordChanges(trx, { subject: version.id, values: { deleted: false }, actor, clock })
    })
    return getVersion(place.db, ref)
  }
  return exclusive(place.db, { key: STORE, work })
}

/** Moves what is left of deleted versions when the process was ended between row and folder. */
export async function finishDeletions({ db, store }: RegistryPlace): Promise<void> {
  const rows = await db
    .selectFrom('versions')
    .select(['condition', 'name', 'n'])
    .where('status', '=', 'deleted')
    .execute()
  for (const ref of rows) await moveToBin({ store }, ref)
}

async function moveToBin({ store }: Pick<RegistryPlace, 'store'>, ref: VersionRef): Promise<void> {
  const [from, to] = [packageDir(store, ref), binnedDir(store, ref)]
  if ((await exists(from)) && !(await exists(to))) await moveFolder(from, to)
}

async function refuseInUse({ db }: Pick<RegistryPlace, 'db'>, version: Version): Promise<void> {
  const condition = await getCondition(db, version.condition)
  if (condition.active?.version === version.id) {
    throw new AppError('conflict', `${version.id} is active; activate another version first.`)
  }
  if (condition.challenger?.version === version.id) {
    throw new AppError('conflict', `${version.id} is the challenger; end the challenge first.`)
  }
  const [alias] = version.aliases
  if (alias !== undefined) {
    throw new AppError('conflict', `${version.id} is called "${alias}"; move that alias first.`)
  }
}
