// The files of a dataset's folder. Links are followed where they lead to a place below it, each real folder once; those that
// lead out, back or nowhere are counted and passed over.
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { AppError } from '../../../errors.ts'

const MAX_DEPTH = 64
const MAX_FILES = 5_000_000

export interface WalkedFolder {
  /** Relative, with forward slashes, folder by folder in the order of names. */
  readonly files: readonly string[]
  /** Links that were not followed. */
  readonly links: number
}

export interface WalkOptions {
  /** By its name: false passes the folder over. */
  readonly enters: (name: string) => boolean
  readonly onFound?: (files: number) => void
}

/** Names that begin with a dot are passed over. @throws AppError `invalid` when it cannot be read, or is too deep or too large */
export async function walkFolder(dir: string, o: WalkOptions): Promise<WalkedFolder> {
  const files: string[] = []
  let links = 0
  let root = ''
  const seen = new Set<string>()
  const isBelow = (path: string): boolean => path === root || path.startsWith(root + sep)

  const visit = async (folder: string, real: string): Promise<void> => {
    seen.add(real)
    if (folder.split('/').length > MAX_DEPTH) throw tooLarge(`${MAX_DEPTH} folders deep`)
    const entries = await readdir(real, { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const isLink = entry.isSymbolicLink()
      const target = isLink
        ? await realpath(join(real, entry.name)).catch(() => undefined)
        : join(real, entry.name)
      if (target === undefined || (isLink && !isBelow(target))) {
        links++
        continue
      }
      const kind = isLink ? await stat(target) : entry
      if (kind.isDirectory()) {
        if (!o.enters(entry.name)) continue
        if (!seen.has(target)) await visit(path, target)
        else if (isLink) links++
      } else if (kind.isFile()) {
        files.push(path)
        if (files.length > MAX_FILES) throw tooLarge(`${MAX_FILES.toLocaleString('en')} files`)
        o.onFound?.(files.length)
      }
    }
  }
  try {
    root = await realpath(dir)
    await visit('', root)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('invalid', 'The dataset folder does not exist or may not be read.', {
      cause: error,
    })
  }
  return { files, links }
}

function tooLarge(what: string): AppError {
  return new AppError('invalid', `The dataset folder is more than ${what}; name one below it.`)
}
