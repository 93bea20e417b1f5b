// A zip from outside, unpacked without trusting it: names, links, sizes and ratios are checked before a byte is written.
// What the files mean is checked afterwards, by the manifest and its hashes.
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { AppError, isAppError, isDiskFull, messageOf } from '../errors.ts'
import { exists } from './durable-files.ts'
import { checkPaths, MANIFEST, shown } from './package-paths.ts'

export interface ZipLimits {
  readonly maxEntries: number
  /** Of all files together, unpacked. */
  readonly maxTotalBytes: number
  /** Unpacked over packed size, of the whole and of one file above 1 MiB; deflate itself ends at 1032. */
  readonly maxRatio: number
}

const MIB = 1024 * 1024
export const DEFAULT_ZIP_LIMITS: ZipLimits = {
  maxEntries: 10_000,
  maxTotalBytes: 4096 * MIB,
  maxRatio: 200,
}
/** Below this size no ratio is suspicious: a page of zeros or spaces packs to nothing. */
const RATIO_COUNTS_FROM = MIB

export interface Unzipped {
  /** Files, relative with `/`. */
  readonly paths: readonly string[]
  readonly comment: string
}

/**
 * Unpacks a `.roentgen.zip` into the new folder `toDir`, whether its files lie at the root or in one top folder.
 * @throws AppError `invalid-package` with one sentence; `toDir` is not left behind
 */
export async function unzipPackage(
  zipPath: string,
  { toDir, limits = DEFAULT_ZIP_LIMITS }: { toDir: string; limits?: ZipLimits },
): Promise<Unzipped> {
  const raw = `${toDir}.raw`
  try {
    const { paths, comment } = await unzipSafely(zipPath, { toDir: raw, limits })
    const top = packageRoot(paths)
    if (top === undefined) {
      throw invalid('The zip holds no model package: there is no manifest.json at its top.')
    }
    await rename(join(raw, top), toDir)
    return { paths: paths.map((path) => path.slice(top === '' ? 0 : top.length + 1)), comment }
  } catch (error) {
    await rm(toDir, { recursive: true, force: true })
    throw error
  } finally {
    await rm(raw, { recursive: true, force: true })
  }
}

/** Unpacks any zip into the new folder `toDir`. @throws AppError `invalid-package` */
export async function unzipSafely(
  zipPath: string,
  { toDir, limits = DEFAULT_ZIP_LIMITS }: { toDir: string; limits?: ZipLimits },
): Promise<Unzipped> {
  let zip: ZipFile | undefined
  try {
    const zipBytes = (await stat(zipPath)).size
    zip = await openPromise(zipPath, { autoClose: false, strictFileNames: true })
    const entries = await readEntries(zip, limits)
    checkSizes(entries, { zipBytes, limits })
    await mkdir(toDir, { recursive: true })
    for (const entry of entries) await unpack(zip, { entry, toDir })
    return { paths: entries.map((entry) => entry.fileName), comment: String(zip.comment) }
  } catch (error) {
    await rm(toDir, { recursive: true, force: true })
    throw isAppError(error) || isUnwritable(error) ? error : inWords(error)
  } finally {
    zip?.close()
  }
}

/** The folder of the zip that is the package: '' for the root, undefined when there is none. */
function packageRoot(paths: readonly string[]): string | undefined {
  if (paths.includes(MANIFEST)) return ''
  const tops = new Set(paths.map((path) => path.slice(0, Math.max(0, path.indexOf('/')))))
  const [top] = tops
  return tops.size === 1 && top && paths.includes(`${top}/${MANIFEST}`) ? top : undefined
}

/** Every file entry; folders and what macOS adds are passed over, all else that is no plain file is refused. */
async function readEntries(zip: ZipFile, limits: ZipLimits): Promise<Entry[]> {
  if (zip.entryCount > limits.maxEntries) {
    throw invalid(`The zip has ${zip.entryCount} entries; at most ${limits.maxEntries} are read.`)
  }
  const entries: Entry[] = []
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName
    if (name.startsWith('__MACOSX/') || name.endsWith('.DS_Store')) continue
    checkKind(entry)
    if (name.endsWith('/')) checkPaths([name.slice(0, -1)])
    else entries.push(entry)
  }
  checkPaths(entries.map((entry) => entry.fileName))
  checkFoldersAreNoFiles(entries)
  return entries
}

function checkKind(entry: Entry): void {
  const name = shown(entry.fileName)
  const type = (entry.externalFileAttributes >>> 16) & 0o170000
  if (type === 0o120000) throw invalid(`"${name}" in the zip is a symbolic link, which is refused.`)
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) {
    throw invalid(`"${name}" in the zip is a device or a pipe, which is refused.`)
  }
  if (entry.isEncrypted())
    throw invalid(`"${name}" in the zip is encrypted; pack it without a password.`)
  if (!entry.canDecodeFileData()) {
    throw invalid(`"${name}" in the zip is packed in a way that is not supported; use plain zip.`)
  }
}

function checkFoldersAreNoFiles(entries: readonly Entry[]): void {
  const files = new Set(entries.map((entry) => entry.fileName.toLowerCase()))
  for (const { fileName } of entries) {
    for (let at = fileName.indexOf('/'); at >= 0; at = fileName.indexOf('/', at + 1)) {
      if (files.has(fileName.slice(0, at).toLowerCase())) {
        throw invalid(`"${shown(fileName.slice(0, at))}" in the zip is both a file and a folder.`)
      }
    }
  }
}

function checkSizes(
  entries: readonly Entry[],
  { zipBytes, limits }: { zipBytes: number; limits: ZipLimits },
): void {
  const packed = entries.reduce((sum, entry) => sum + entry.compressedSize, 0)
  const unpacked = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0)
  if (unpacked > limits.maxTotalBytes) {
    const most = Math.floor(limits.maxTotalBytes / MIB)
    throw invalid(`The zip unpacks to more than ${most} MiB, which is the limit.`)
  }
  // Entries that share their bytes: the trick of a bomb that needs no nesting.
  if (packed > zipBytes) throw invalid('The entries of the zip overlap, and was rejected.')
  const swollen = (big: number, small: number): boolean =>
    big > RATIO_COUNTS_FROM && big > limits.maxRatio * Math.max(1, small)
  const bomb = entries.find((entry) => swollen(entry.uncompressedSize, entry.compressedSize))
  if (bomb)
    throw invalid(`"${shown(bomb.fileName)}" in the zip unpacks to far more than is plausible.`)
  if (swollen(unpacked, zipBytes)) throw invalid('The zip unpacks to far more than is plausible.')
}

async function unpack(
  zip: ZipFile,
  { entry, toDir }: { entry: Entry; toDir: string },
): Promise<void> {
  const path = join(toDir, ...entry.fileName.split('/'))
  await mkdir(dirname(path), { recursive: true })
  if (await exists(path)) throw invalid(`The file "${shown(entry.fileName)}" is there twice.`)
  // yauzl ends the stream with an error as soon as the bytes are more or fewer than the entry says.
  const stream = await zip.openReadStreamPromise(entry)
  await pipeline(stream, createWriteStream(path, { flags: 'wx', mode: 0o644 }))
}

/** yauzl's own refusals, as a sentence. */
function inWords(error: unknown): AppError {
  const message = messageOf(error)
  const sentence = /relative path/.test(message)
    ? 'A file in the zip points outside of the package, and was rejected.'
    : /absolute path/.test(message)
      ? 'A file in the zip has an absolute path or a drive letter, and was rejected.'
      : /invalid characters/.test(message)
        ? 'A file in the zip has a backslash in its name, and was rejected.'
        : /end of central directory/i.test(message)
          ? 'This is not a zip file, or it is cut off.'
          : 'The zip is damaged and cannot be unpacked.'
  return new AppError('invalid-package', sentence, { cause: error })
}

/** Not the fault of the zip. */
function isUnwritable(error: unknown): boolean {
  return (
    isDiskFull(error) || ['EACCES', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')
  )
}

function invalid(message: string): AppError {
  return new AppError('invalid-package', message)
}
