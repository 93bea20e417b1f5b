// Files that survive a power cut: written beside, flushed, renamed into place, the folder flushed too.
// Leaves to others what is in them.
import { randomUUID } from 'node:crypto'
import { cp, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Names that start so are never complete: readers and watchers pass over them. */
export const TEMPORARY_PREFIX = '.tmp-'

/** Flushes a file or folder to the disk. Folders cannot be flushed on every system; that is no error. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (!handle) return
  try {
    await handle.sync()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'EISDIR' && code !== 'EPERM' && code !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

export interface WriteOptions {
  readonly mode?: number
  /** A folder of the same file system for the half-written file, where `path` must never have a neighbour. */
  readonly madeIn?: string
}

/** Replaces `path` so that a reader sees the old bytes or the new ones, whenever the power goes. */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array | string,
  { mode = 0o644, madeIn }: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path)
  const temporary = join(madeIn ?? folder, `${TEMPORARY_PREFIX}${randomUUID()}`)
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await flush(folder)
}

/** Flushes every file and folder below and including `dir`; done before a folder is moved to where it counts. */
export async function flushTree(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) await flushTree(path)
    else if (entry.isFile()) await flush(path)
  }
  await flush(dir)
}

/**
 * Moves a folder to a name that must not be taken; between file systems it is copied beside the goal first, so that
 * the goal never exists half.
 */
export async function moveFolder(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  if (await exists(to)) throw Object.assign(new Error('the goal exists'), { code: 'EEXIST' })
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFolder(from, to)
    await rm(from, { recursive: true, force: true })
  }
  await flush(dirname(to))
  await flush(dirname(from))
}

/** Copies a folder to a name that must not be taken; it appears there whole. */
export async function copyFolder(from: string, to: string): Promise<void> {
  const temporary = join(dirname(to), `${TEMPORARY_PREFIX}${randomUUID()}`)
  await mkdir(dirname(to), { recursive: true })
  try {
    await cp(from, temporary, { recursive: true, errorOnExist: true, verbatimSymlinks: true })
    await flushTree(temporary)
    await rename(temporary, to)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
  await flush(dirname(to))
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
