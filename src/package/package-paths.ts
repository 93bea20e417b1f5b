// Which names may lie in a package: plain relative paths that mean one and the same file on every system.
// Used on manifests, on zip entries and on what is found on disk.
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors.ts'

export const MANIFEST = 'manifest.json'
/** Who vouches for the manifest; beside it and not in it, see signature.ts. */
export const SIGNATURE = 'manifest.sig'

/** Device names that Windows gives a meaning to, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
const MAX_SEGMENTS = 16

/** Why `path` cannot be a file of a package, as the end of a sentence; undefined when it can. */
export function pathProblem(path: string): string | undefined {
  if (path === '' || path.length > 512) return 'has an empty or too long name'
  if (path.includes('\\')) return 'has a backslash in its name'
  if (path.startsWith('/')) return 'has an absolute path'
  if (/^[a-z]:/i.test(path)) return 'has a drive letter'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f:*?"<>|]/.test(path))
    return 'has a character that file names cannot hold'
  const segments = path.split('/')
  if (segments.length > MAX_SEGMENTS) return 'lies too many folders deep'
  for (const segment of segments) {
    if (segment === '..') return 'points outside of the package'
    if (segment === '' || segment === '.') return 'has an empty folder name'
    if (/[. ]$/.test(segment)) return 'has a name that ends with a dot or a space'
    if (DEVICE.test(segment)) return 'has a name that is reserved on some systems'
  }
  return undefined
}

/** The name under which two paths are the same file on a system that ignores case or Unicode composition. */
export function collisionKey(path: string): string {
  return path.normalize('NFC').toLowerCase()
}

/** @throws AppError `invalid-package` when a path is unsafe, named twice, or differs from another one only by case */
export function checkPaths(paths: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const path of paths) {
    const problem = pathProblem(path)
    if (problem) throw invalid(`The file "${shown(path)}" ${problem}.`)
    const other = seen.get(collisionKey(path))
    if (other === path) throw invalid(`The file "${shown(path)}" is there twice.`)
    if (other) {
      throw invalid(
        `The files "${shown(other)}" and "${shown(path)}" differ only by upper and lower case.`,
      )
    }
    seen.set(collisionKey(path), path)
  }
}

/** Every file below `dir`, relative with `/`, sorted. @throws AppError `invalid-package` on links and devices */
export async function listFiles(dir: string, prefix = ''): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(join(dir, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isDirectory()) found.push(...(await listFiles(dir, path)))
    else if (entry.isFile()) found.push(path)
    else throw invalid(`"${shown(path)}" is a link or a device, which a package cannot hold.`)
  }
  return found.sort()
}

/** True when `path` below `dir` is a plain file reached through plain folders only. */
export async function isPlainFile(dir: string, path: string): Promise<boolean> {
  const segments = path.split('/')
  for (let depth = 1; depth <= segments.length; depth++) {
    const stat = await lstat(join(dir, ...segments.slice(0, depth))).catch(() => undefined)
    const wanted = depth === segments.length ? stat?.isFile() : stat?.isDirectory()
    if (!wanted) return false
  }
  return true
}

/** A name from outside, cut and cleaned, so that a sentence can quote it. */
export function shown(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return path.replace(/[\u0000-\u001f\u007f]/g, '?').slice(0, 120)
}

function invalid(message: string): AppError {
  return new AppError('invalid-package', message)
}
