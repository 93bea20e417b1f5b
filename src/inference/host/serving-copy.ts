// The private verified copies of what hosts load: data/serving/<manifest sha256>/ with manifest.json and the serving
// set of one version. A copy appears whole or not at all and is checked again before each use.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, messageOf } from '../../errors.ts'
import { flush, flushTree, TEMPORARY_PREFIX } from '../../package/durable-files.ts'
import { sha256OfFile } from '../../package/hash-file.ts'
import { readManifest } from '../../package/manifest.ts'
import { MANIFEST } from '../../package/package-paths.ts'
import type { FileEntry, Precision } from '../../package/schema.ts'
import { servingFiles } from '../../package/verify-package.ts'

/** A registered version and where its package lies. */
export interface ServingSource {
  /** `condition/name@n` */
  readonly id: string
  /** The package folder. Only ever copied from, never loaded from. */
  readonly dir: string
  /** SHA-256 of the manifest's bytes: names the copy. */
  readonly sha256: string
  /** Which of its graphs is loaded; float32 when absent. */
  readonly precision?: Precision | undefined
}

export interface ServingCopy {
  readonly dir: string
  readonly files: readonly FileEntry[]
}

/** The same version in the same precision. */
export function isSameGraph(a: ServingSource, b: ServingSource): boolean {
  return a.sha256 === b.sha256 && (a.precision ?? 'float32') === (b.precision ?? 'float32')
}

const DIGEST = /^[0-9a-f]{64}$/

/** The copy when it is there and every byte of it is right; a damaged one is as good as none. */
export async function findIntactCopy(
  servingDir: string,
  sha256: string,
): Promise<ServingCopy | undefined> {
  const dir = copyDir(servingDir, sha256)
  try {
    const read = await readManifest(dir)
    if (read.sha256 !== sha256) return undefined
    const files = servingFiles(read.manifest)
    for (const file of files) {
      if ((await sha256OfFile(join(dir, file.path))) !== file.sha256) return undefined
    }
    return { dir, files }
  } catch {
    return undefined
  }
}

/**
 * The intact copy that is there, or one made from the package now: hashed while it is copied, flushed, renamed into
 * place. The caller sees to it that one copy is made by one call at a time.
 * @throws AppError `hash-mismatch` when the package cannot give the bytes that its digest stands for
 */
export async function ensureCopy(servingDir: string, source: ServingSource): Promise<ServingCopy> {
  const present = await findIntactCopy(servingDir, source.sha256)
  if (present) return present
  const temporary = join(servingDir, `${TEMPORARY_PREFIX}${randomUUID()}`)
  try {
    const files = await copyServingSet(source, temporary)
    await flushTree(temporary)
    const dir = copyDir(servingDir, source.sha256)
    await replaceFolder(temporary, dir)
    return { dir, files }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function copyServingSet(source: ServingSource, to: string): Promise<readonly FileEntry[]> {
  const read = await readManifest(source.dir).catch((cause) => {
    throw new AppError('hash-mismatch', `The manifest of ${source.id} cannot be read.`, { cause })
  })
  if (read.sha256 !== source.sha256) throw mismatch(source, MANIFEST)
  const files = servingFiles(read.manifest)
  await mkdir(to, { recursive: true })
  await writeNew(join(to, MANIFEST), [read.bytes])
  for (const file of files) {
    const hash = createHash('sha256')
    const target = join(to, file.path)
    await mkdir(dirname(target), { recursive: true })
    try {
      await writeNew(target, hashing(createReadStream(join(source.dir, file.path)), hash))
    } catch (cause) {
      // A file that is not there is the package's fault; a full disk is not.
      if (!isMissing(cause)) throw cause
      throw mismatch(source, file.path, cause)
    }
    if (hash.digest('hex') !== file.sha256) throw mismatch(source, file.path)
  }
  return files
}

async function* hashing(
  chunks: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

async function writeNew(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of chunks) await handle.writeFile(chunk)
  } finally {
    await handle.close()
  }
}

/** Puts the new copy where a damaged one may lie; a reader finds the one, the other or none, never a mixture. */
async function replaceFolder(from: string, to: string): Promise<void> {
  const old = join(dirname(to), `${TEMPORARY_PREFIX}${randomUUID()}`)
  const replaced = await rename(to, old).then(
    () => true,
    () => false,
  )
  await rename(from, to)
  await flush(dirname(to))
  if (replaced) await rm(old, { recursive: true, force: true })
}

/** Removes what a killed process left half made. Only while no copy is being made. */
export async function clearTemporaryCopies(servingDir: string): Promise<void> {
  await mkdir(servingDir, { recursive: true, mode: 0o700 })
  for (const name of await readdir(servingDir)) {
    if (name.startsWith(TEMPORARY_PREFIX)) {
      await rm(join(servingDir, name), { recursive: true, force: true })
    }
  }
}

/** Removes the copies whose digest is not in `keep`; returns the digests that went. */
export async function pruneCopies(
  servingDir: string,
  keep: ReadonlySet<string>,
): Promise<string[]> {
  const names = await readdir(servingDir).catch(() => [])
  const unused = names.filter((name) => DIGEST.test(name) && !keep.has(name))
  for (const name of unused) await rm(join(servingDir, name), { recursive: true, force: true })
  return unused
}

function copyDir(servingDir: string, sha256: string): string {
  if (DIGEST.test(sha256)) return join(servingDir, sha256)
  throw new AppError('invalid', 'A version digest is 64 hexadecimal digits.')
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EIO'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )
}

function mismatch(source: ServingSource, file: string, cause?: unknown): AppError {
  return new AppError(
    'hash-mismatch',
    `The package ${source.id} differs from its manifest: ${file} is missing or does not match its checksum.`,
    { cause: cause === undefined ? undefined : new Error(messageOf(cause)), extra: { file } },
  )
}
