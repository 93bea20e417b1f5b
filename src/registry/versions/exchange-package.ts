// Packages that leave and arrive as one .roentgen.zip.
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { AppError } from '../../errors.ts'
import { findVersionRef, type VersionRef } from '../../package/ids.ts'
import { signatureBytes } from '../../package/signature.ts'
import { unzipPackage, type ZipLimits } from '../../package/unzip-package.ts'
import { verifyPackage } from '../../package/verify-package.ts'
import { zipPackage } from '../../package/zip-package.ts'
import type { Actor, Clock, RegistryPlace } from '../home/registry-context.ts'
import { packageDir } from '../home/store.ts'
import { type Registered, registerPackage } from './register-package.ts'
import { getVersion } from './versions.ts'

const COMMENT = /^roentgen (\S+)$/

export interface ExportedPackage {
  readonly stream: Readable
  /** `pneumonia-densenet121-standard-v3.roentgen.zip` */
  readonly fileName: string
}

/** Every file is hashed first. @throws AppError `unknown-version`, `conflict` (deleted), `hash-mismatch` */
export async function exportPackage(
  { db, store }: RegistryPlace,
  ref: VersionRef,
): Promise<ExportedPackage> {
  const version = await getVersion(db, ref)
  if (version.status === 'deleted') {
    throw new AppError('conflict', `${version.id} was deleted; its files are in the trash.`)
  }
  const dir = packageDir(store, ref)
  const { manifest } = await verifyPackage(dir, { expectedSha256: version.sha256 })
  const folder = `${ref.condition}-${ref.name}-v${ref.n}`
  const signatures = await signatureBytes(dir)
  const comment = `roentgen ${version.id}`
  const stream = zipPackage(dir, { manifest, folder, comment, signatures })
  return { stream, fileName: `${folder}.roentgen.zip` }
}

/** Registers the package in a zip; it stays inactive. @throws AppError as `unzipPackage` and `registerPackage` */
export async function importPackageZip(
  place: RegistryPlace,
  options: {
    zipPath: string
    actor: Actor
    clock: Clock
    limits?: ZipLimits
    /** Refused unless a key signed it that is trusted here. */
    requiresTrust?: boolean | undefined
  },
): Promise<Registered> {
  const { zipPath, actor, clock, limits, requiresTrust } = options
  const toDir = join(place.store.stagingDir, `unzip-${randomUUID()}`)
  try {
    const { comment } = await unzipPackage(zipPath, { toDir, ...(limits && { limits }) })
    const former = COMMENT.exec(comment)?.[1] ?? ''
    const formerId = findVersionRef(former) ? former : undefined
    const arrived = { fromDir: toDir, move: true, actor, clock, formerId, requiresTrust }
    return await registerPackage(place, arrived)
  } finally {
    await rm(toDir, { recursive: true, force: true })
  }
}
