// manifest.json: written last into a folder, which makes it a package; read and checked before anything else of it.
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import { flushTree, writeFileDurably } from './durable-files.ts'
import { hashFile, sha256Of } from './hash-file.ts'
import { checkPaths, isPlainFile, listFiles, MANIFEST, SIGNATURE } from './package-paths.ts'
import { type FileEntry, type Manifest, ManifestSchema } from './schema.ts'

const MAX_MANIFEST_BYTES = 8 * 1024 * 1024

/** All that the writer of a package says about it; the files are found and hashed here. */
export type ManifestFields = Omit<Manifest, 'schema' | 'files'>

export interface ReadManifest {
  readonly manifest: Manifest
  /** SHA-256 of the very bytes of manifest.json: the digest of the version. */
  readonly sha256: string
  readonly bytes: Uint8Array
}

/**
 * Makes the folder a package: flushes and hashes every file in it, then writes manifest.json by atomic rename. A
 * manifest that lies there is replaced. @throws AppError `invalid-package` on unsafe names, links or wrong fields
 */
export async function writeManifest(dir: string, fields: ManifestFields): Promise<ReadManifest> {
  const paths = (await listFiles(dir)).filter((path) => path !== MANIFEST && path !== SIGNATURE)
  checkPaths(paths)
  const files: FileEntry[] = []
  for (const path of paths) files.push({ path, ...(await hashFile(join(dir, path))) })
  const manifest = parseManifest({ schema: 1, ...fields, files })
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
  await flushTree(dir)
  await writeFileDurably(join(dir, MANIFEST), bytes)
  return { manifest, sha256: sha256Of(bytes), bytes }
}

/** @throws AppError `invalid-package` when it is absent, too large, no JSON, or says what cannot be */
export async function readManifest(dir: string): Promise<ReadManifest> {
  const bytes = await readManifestBytes(dir)
  if (!bytes) throw new AppError('invalid-package', 'The package has no manifest.json.')
  return { manifest: decodeManifest(bytes), sha256: sha256Of(bytes), bytes }
}

/** The bytes of manifest.json, or undefined when there is no such plain file. */
export async function readManifestBytes(dir: string): Promise<Uint8Array | undefined> {
  if (!(await isPlainFile(dir, MANIFEST))) return undefined
  const path = join(dir, MANIFEST)
  if ((await stat(path)).size > MAX_MANIFEST_BYTES) {
    throw new AppError('invalid-package', 'The manifest.json is larger than 8 MiB.')
  }
  const handle = await open(path, 'r')
  try {
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** @throws AppError `invalid-package` */
export function decodeManifest(bytes: Uint8Array): Manifest {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new AppError('invalid-package', 'The manifest.json is not readable JSON.', { cause })
  }
  return parseManifest(json)
}

function parseManifest(json: unknown): Manifest {
  const parsed = ManifestSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const field = issue?.path.join('.') || 'manifest'
    throw new AppError(
      'invalid-package',
      `The manifest.json is wrong at "${field}": ${issue?.message ?? 'not as expected'}.`,
    )
  }
  const manifest = parsed.data
  checkPaths([MANIFEST, SIGNATURE, ...manifest.files.map((file) => file.path)])
  checkWords(manifest)
  return manifest
}

/** What zod cannot say field by field: the words of a manifest must fit together. */
function checkWords(manifest: Manifest): void {
  const labels = manifest.classes.map((one) => one.label)
  const wrong = (message: string): never => {
    throw new AppError('invalid-package', message)
  }
  if (new Set(labels).size !== labels.length) wrong('Two classes of the manifest have one label.')
  if (manifest.kind === 'binary' && labels.length !== 2) {
    wrong(`A binary model has exactly two classes; the manifest lists ${labels.length}.`)
  }
  if (manifest.kind === 'binary' && manifest.classes.filter((one) => one.positive).length !== 1) {
    wrong('A binary model has exactly one positive class.')
  }
  const names = manifest.operatingPoints.map((point) => point.name)
  if (new Set(names).size !== names.length) wrong('Two operating points have one name.')
  const usual = manifest.defaultOperatingPoint
  if (usual !== null && !names.includes(usual)) {
    wrong('The default operating point of the manifest is not among its operating points.')
  }
  for (const point of [...manifest.operatingPoints, ...(manifest.int8?.operatingPoints ?? [])]) {
    const unknown = Object.keys(point.thresholds).find((label) => !labels.includes(label))
    if (unknown !== undefined) {
      wrong(`The operating point "${point.name}" has a threshold for an unknown class.`)
    }
  }
}
