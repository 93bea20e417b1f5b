// A finished package folder becomes a version: verified where nobody writes, renamed into place, then listed.
// Killed in between, the package is either not there or adopted whole at the next start.
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, diskFull, isDiskFull } from '../../errors.ts'
import { copyFolder, exists, flushTree, moveFolder } from '../../package/durable-files.ts'
import { formatVersion, type VersionRef } from '../../package/ids.ts'
import { refuseExternalData } from '../../package/refuse-external-data.ts'
import type { Manifest } from '../../package/schema.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import { addSignatures, readSignatures } from '../../package/signature.ts'
import { type VerifiedPackage, verifyPackage } from '../../package/verify-package.ts'
import { exclusive, STORE } from '../home/exclusive.ts'
import type { Actor, Clock, RegistryPlace } from '../home/registry-context.ts'
import { packageDir, type Store } from '../home/store.ts'
import type { Db } from '../schema/database.ts'
import { refuseUntrusted } from './trusted-keys.ts'
import { ensureCondition, insertVersion, takeNumber } from './version-rows.ts'
import {
  findVersionByDigest,
  findVersionByImportKey,
  getVersion,
  setIntegrity,
  type Version,
} from './versions.ts'

export interface RegisterOptions {
  /** A folder with a manifest. */
  readonly fromDir: string
  /** true: the folder is taken into the store, and given back when it is refused. false: it is copied. */
  readonly move: boolean
  readonly actor: Actor
  readonly clock: Clock
  /** Its id in the registry that it was exported from. */
  readonly formerId?: string | undefined
  /** Made here of a model from elsewhere: one of the same file and the same answers is the same version. */
  readonly isForeign?: boolean | undefined
  /** Refused unless a key signed it that is trusted here. */
  readonly requiresTrust?: boolean | undefined
}

export interface Registered {
  readonly version: Version
  /** false: a version with this digest, or of this foreign file, was there and is returned. */
  readonly created: boolean
}

/**
 * @throws AppError `hash-mismatch`, `invalid-package`; `signature-mismatch`, `untrusted`; `conflict` when the condition has
 * other classes. Nothing is listed then.
 */
export async function registerPackage(
  place: RegistryPlace,
  options: RegisterOptions,
): Promise<Registered> {
  const staged = join(place.store.stagingDir, randomUUID())
  const bring = options.move ? moveFolder : copyFolder
  await bring(options.fromDir, staged)
  try {
    return await registerStaged(place, { ...options, staged })
  } catch (error) {
    if (options.move && (await exists(staged))) await moveFolder(staged, options.fromDir)
    throw error
  } finally {
    await rm(staged, { recursive: true, force: true })
  }
}

async function registerStaged(
  place: RegistryPlace,
  options: RegisterOptions & { staged: string },
): Promise<Registered> {
  const { staged, actor, clock, formerId } = options
  const verified = await verifyPackage(staged)
  await checkConfiguration(staged, verified.manifest)
  await refuseExternalData(staged, verified.manifest.files)
  const signatures = await readSignatures(staged)
  if (options.requiresTrust) await refuseUntrusted(place.db, staged)
  await flushTree(staged)
  const { manifest, sha256, sizeBytes } = verified
  const work = async (): Promise<Registered> => {
    const existing = await findVersionByDigest(place.db, sha256)
    if (existing) {
      await repair(place, { existing, staged, clock })
      // Whoever brings it again may bring a signature that was not there before.
      const { stagingDir } = place.store
      await addSignatures(packageDir(place.store, existing), {
        more: signatures,
        madeIn: stagingDir,
      })
      return { version: await getVersion(place.db, existing), created: false }
    }
    const twin = options.isForeign ? await findTwin(place.db, manifest) : undefined
    if (twin) return { version: twin, created: false }
    await ensureCondition(place.db, { manifest, actor, clock })
    const ref = await moveIntoPlace(place, { staged, verified })
    const row = { ref, manifest, sha256, sizeBytes, ...actor, damage: null, formerId, clock }
    await insertVersion(place.db, row)
    return { version: await getVersion(place.db, ref), created: true }
  }
  return exclusive(place.db, { key: STORE, work })
}

/** Converting a file twice gives other bytes, as times are in them; `lineage.importKey` names file, answers and converter. */
async function findTwin(db: Db, { lineage }: Manifest): Promise<Version | undefined> {
  const { importKey } = lineage
  return typeof importKey === 'string' ? findVersionByImportKey(db, importKey) : undefined
}

/** Renames it to the first number that is free both in the registry and on disk. */
async function moveIntoPlace(
  { db, store }: RegistryPlace,
  { staged, verified }: { staged: string; verified: VerifiedPackage },
): Promise<VersionRef> {
  const { condition, name } = verified.manifest
  for (;;) {
    const ref = { condition, name, n: await takeNumber(db, { condition, name }) }
    if (await exists(packageDir(store, ref))) continue
    await moveFolder(staged, packageDir(store, ref))
    return ref
  }
}

/** An intact copy of a version whose files were damaged takes their place. */
async function repair(
  { db, store }: RegistryPlace,
  { existing, staged, clock }: { existing: Version; staged: string; clock: Clock },
): Promise<void> {
  const dir = packageDir(store, existing)
  const intact = await verifyPackage(dir, { expectedSha256: existing.sha256 }).then(
    () => true,
    () => false,
  )
  if (!intact) {
    if (await exists(dir)) await moveFolder(dir, damagedDir(store, existing))
    await moveFolder(staged, dir)
  }
  await setIntegrity(db, { version: existing, damage: null, clock })
}

function damagedDir(store: Store, ref: VersionRef): string {
  const name = `damaged-${formatVersion(ref).replace('/', '-')}-${randomUUID()}`
  return join(store.binDir, name)
}

/** The two files that say what the model is must agree, or a decision would be read with wrong labels. */
async function checkConfiguration(dir: string, manifest: Manifest): Promise<void> {
  const listed = manifest.files.some((file) => file.path === 'configs/model.json')
  if (!listed) throw new AppError('invalid-package', 'The package has no configs/model.json.')
  const { model } = await readServingConfig(dir)
  const words = ({ kind, classes }: Pick<Manifest, 'kind' | 'classes'>): string =>
    JSON.stringify([kind, classes.map(({ label, positive }) => [label, positive])])
  if (words(model) !== words(manifest)) {
    throw new AppError(
      'invalid-package',
      'configs/model.json and manifest.json name different classes.',
    )
  }
  if (!manifest.files.some((file) => file.path === model.graph.file)) {
    throw new AppError(
      'invalid-package',
      'The graph that configs/model.json names is not in the manifest.',
    )
  }
}

/** The sentence of a refusal, for a problem file and for the log. */
export function refusalOf(error: unknown): string {
  if (isDiskFull(error)) return diskFull(error).message
  return error instanceof AppError ? error.message : 'It could not be read; see the log.'
}
