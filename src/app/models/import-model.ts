// A model that somebody sends: a package of ours, or a foreign file that becomes one in a child process first.
import { randomUUID } from 'node:crypto'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { parseForeignFields } from '../../conversion/import/foreign-fields.ts'
import { AppError } from '../../errors.ts'
import { type ModelFileKind, modelFileKind } from '../../formats/detect-format.ts'
import { headOf } from '../../package/file-head.ts'
import { MANIFEST } from '../../package/package-paths.ts'
import { readZipNames } from '../../package/zip-names.ts'
import { findCondition } from '../../registry/conditions/conditions.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import { type AddedVersion, addVersion } from '../../registry/versions/add-version.ts'
import type { Uses } from '../services.ts'
import type { Upload } from '../uploaded-files.ts'
import { convertAsJob } from './conversion-job.ts'

/**
 * Adds what somebody sent, as `addVersion` does.
 * @throws AppError `invalid-package`, `hash-mismatch`, `untrusted`, `invalid`, `condition-required`, `conflict`
 */
export async function importModel(
  services: Uses<'clock' | 'config' | 'db' | 'gate' | 'jobs' | 'log' | 'store'>,
  { upload, actor }: { upload: Upload; actor: Actor },
): Promise<AddedVersion> {
  const file = upload.files.find((one) => one.field === 'package')
  if (!file?.path) {
    throw new AppError('invalid', 'Send the model as a file in the field "package".', {
      extra: { field: 'package' },
    })
  }
  const kind = modelFileKind(await headOf(file.path), file.fileName)
  if (kind === 'zip' && (await holdsPackage(file.path))) {
    const requiresTrust = services.config.requireSignature
    return addVersion(services, { zipPath: file.path, actor, requiresTrust })
  }
  const fields = Object.fromEntries(upload.fields)
  const source = { path: file.path, fileName: file.fileName, kind, fields }
  return withConverted(services, {
    source,
    actor,
    use: (fromDir) => addVersion(services, { fromDir, actor, isForeign: true }),
  })
}

/** The file of a form, when it is a model from elsewhere that nothing was said about. @throws AppError `invalid-package` */
export async function foreignUpload({ files, fields }: Upload) {
  const file = files.find((one) => one.field === 'package')
  if (!file?.path || fields.has('condition')) return undefined
  const kind = modelFileKind(await headOf(file.path), file.fileName)
  if (kind === 'zip' && (await holdsPackage(file.path))) return undefined
  return { path: file.path, fileName: file.fileName, kind, size: file.size }
}

/**
 * For a foreign model in the inbox with its details beside it: the package folder, which the caller takes away.
 * @throws AppError as `importModel`
 */
export async function convertFromInbox(
  services: Uses<'config' | 'db' | 'jobs' | 'store'>,
  { path, details }: { path: string; details: unknown },
): Promise<string> {
  const texts = z.record(z.string(), z.unknown()).catch({}).parse(details)
  const fields = Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
  const isFolder = (await stat(path)).isDirectory()
  const kind = isFolder ? ('folder' as const) : modelFileKind(await headOf(path), basename(path))
  const source: ForeignSource = { path, fileName: basename(path), kind, fields }
  const taken = join(services.store.stagingDir, `inbox-${randomUUID()}`)
  const use = async (fromDir: string): Promise<string> => {
    await rename(fromDir, taken)
    return taken
  }
  return withConverted(services, { source, actor: { by: 'inbox', via: 'file' }, use })
}

interface ForeignSource {
  readonly path: string
  readonly fileName: string
  readonly kind: ModelFileKind | 'folder'
  readonly fields: Readonly<Record<string, string>>
}

async function withConverted<T>(
  services: Uses<'config' | 'db' | 'jobs' | 'store'>,
  {
    source,
    actor,
    use,
  }: { source: ForeignSource; actor: Actor; use: (fromDir: string) => Promise<T> },
): Promise<T> {
  refuseUnsigned(services)
  const stagingDir = join(services.store.stagingDir, `import-${randomUUID()}`)
  try {
    const fields = parseForeignFields(source.fields)
    const model = {
      kind: source.kind === 'folder' ? 'tfjs-folder' : source.kind,
      path: source.path,
      sourceName: source.fileName,
      fields,
      condition: await findCondition(services.db, fields.condition),
      stagingDir,
    } as const
    const fromDir = await convertAsJob(services, { model, actor })
    return await use(fromDir)
  } finally {
    await rm(stagingDir, { recursive: true, force: true })
  }
}

/** @throws AppError `untrusted` where only signed packages are taken: nobody can have signed what is made here */
export function refuseUnsigned({ config }: Uses<'config'>): void {
  if (!config.requireSignature) return
  throw new AppError(
    'untrusted',
    'This server accepts only packages signed by a trusted key; imported models have no signature.',
  )
}

/** A package's manifest lies at the top of the zip or in its one folder; a TF.js model has none. */
async function holdsPackage(path: string): Promise<boolean> {
  const names = await readZipNames(path)
  return names.some((name) => name === MANIFEST || /^[^/]+\/manifest\.json$/.test(name))
}
