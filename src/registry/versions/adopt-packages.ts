// Packages that lie in the store without a row: put there by hand, or left by a registry that is gone. A row is made
// from what they say about themselves; damaged ones are listed as such and never answer.

import { AppError, isAppError } from '../../errors.ts'
import { formatVersion, type VersionRef } from '../../package/ids.ts'
import { readManifest } from '../../package/manifest.ts'
import { verifyPackage } from '../../package/verify-package.ts'
import { exclusive, STORE } from '../home/exclusive.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import { packageDir } from '../home/store.ts'
import { refusalOf } from './register-package.ts'
import { scanStore } from './scan-store.ts'
import { ensureCondition, insertVersion } from './version-rows.ts'
import { findVersion, findVersionByDigest } from './versions.ts'

export interface StoreProblem {
  /** Version id as the folder says, or a name. */
  readonly what: string
  readonly problem: string
}

export interface Adopted {
  readonly versions: readonly string[]
  /** Folders that could not be listed, and why. */
  readonly problems: readonly StoreProblem[]
}

type Place = Pick<RegistryContext, 'db' | 'store' | 'clock' | 'log'>

export async function adoptPackages(ctx: Place): Promise<Adopted> {
  const versions: string[] = []
  const problems: StoreProblem[] = []
  for (const ref of await scanStore(ctx.store.modelsDir)) {
    const id = formatVersion(ref)
    try {
      const work = () => adoptOne(ctx, ref)
      if (await exclusive(ctx.db, { key: STORE, work })) versions.push(id)
    } catch (error) {
      ctx.log.warn({ err: error, version: id }, 'a package in the store cannot be listed')
      problems.push({ what: id, problem: refusalOf(error) })
    }
  }
  return { versions, problems }
}

/** True when a row was made. */
async function adoptOne(ctx: Place, ref: VersionRef): Promise<boolean> {
  if (await findVersion(ctx.db, ref)) return false
  const dir = packageDir(ctx.store, ref)
  const { manifest, sha256 } = await readManifest(dir)
  if (manifest.condition !== ref.condition) {
    throw strange(`It was made for ${manifest.condition} and lies below ${ref.condition}.`)
  }
  const twin = await findVersionByDigest(ctx.db, sha256)
  if (twin) throw strange(`It is the same package as ${twin.id}.`)
  const actor = { by: 'roentgen', via: 'file' as const }
  await ensureCondition(ctx.db, { manifest, actor, clock: ctx.clock })
  const damage = await verifyPackage(dir).then(
    () => null,
    (error: unknown) => {
      if (isAppError(error)) return error.message
      throw error
    },
  )
  const sizeBytes = manifest.files.reduce((sum, file) => sum + file.size, 0)
  const { clock } = ctx
  const row = { ref, manifest, sha256, sizeBytes, by: actor.by, via: 'adopted', damage, clock }
  await insertVersion(ctx.db, row)
  ctx.log.info({ version: formatVersion(ref), damage }, 'adopted a package from the store')
  return true
}

function strange(message: string): AppError {
  return new AppError('invalid-package', message)
}
