// One thing in the inbox: what it is, and whether it still changes. What is done with it: inbox.ts.
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readManifest } from '../../package/manifest.ts'
import { isPlainFile, MANIFEST } from '../../package/package-paths.ts'
import { readZipNames } from '../../package/zip-names.ts'

export const PROBLEM_SUFFIX = '.problem.txt'

/** `foreign`: a model file, or a folder with TF.js's model.json. `folder`: nothing known yet. */
export type InboxKind = 'package' | 'zip' | 'foreign' | 'folder'

export interface ItemOnDisk {
  /** Name in the inbox. */
  readonly name: string
  readonly path: string
  readonly kind: InboxKind
  /** Changes with every byte or file that comes or goes. */
  readonly signature: string
  /** When anything in it last changed, by this machine's clock (ctime, which a copy cannot set back), ms since 1970. */
  readonly changedAt: number
}

const FOREIGN = /\.(onnx|keras|h5|pth|safetensors)$/

export async function listItems(inboxDir: string): Promise<ItemOnDisk[]> {
  const items: ItemOnDisk[] = []
  for (const entry of await readdir(inboxDir, { withFileTypes: true })) {
    const { name } = entry
    if (name.startsWith('.') || name.endsWith(PROBLEM_SUFFIX)) continue
    const path = join(inboxDir, name)
    // Between the listing and this look it may have gone.
    const item = await lookAt({ name, path, isFolder: entry.isDirectory(), isFile: entry.isFile() })
    if (item) items.push(item)
  }
  return items.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function lookAt(found: {
  name: string
  path: string
  isFolder: boolean
  isFile: boolean
}): Promise<ItemOnDisk | undefined> {
  const { name, path } = found
  try {
    if (found.isFolder) {
      const inside = await inspectContents(path)
      if (await isPlainFile(path, MANIFEST)) return { name, path, kind: 'package', ...inside }
      const kind = (await isPlainFile(path, 'model.json')) ? 'foreign' : 'folder'
      return withDetails({ name, path, kind, ...inside })
    }
    const kind = kindOfFile(name)
    if (!found.isFile || !kind) return undefined
    const { size, mtimeMs, ctimeMs } = await stat(path)
    const signature = `${size} ${mtimeMs} ${ctimeMs}`
    return withDetails({ name, path, kind, signature, changedAt: ctimeMs })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Details that come or change later are a change of the thing that they are about. */
async function withDetails(item: ItemOnDisk): Promise<ItemOnDisk> {
  const details = await stat(`${item.path}.json`).catch(() => undefined)
  if (!details) return item
  const changedAt = Math.max(item.changedAt, details.ctimeMs)
  return { ...item, changedAt, signature: `${item.signature} ${details.ctimeMs}` }
}

function kindOfFile(name: string): InboxKind | undefined {
  const lower = name.toLowerCase()
  if (lower.endsWith('.zip')) return 'zip'
  return FOREIGN.test(lower) ? 'foreign' : undefined
}

/** Of all below the folder, not of the folder itself: moving it away and back is no change. */
async function inspectContents(dir: string): Promise<Pick<ItemOnDisk, 'signature' | 'changedAt'>> {
  let [files, bytes, changedAt] = [0, 0, 0]
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    const found = await lstat(join(entry.parentPath, entry.name))
    changedAt = Math.max(changedAt, found.ctimeMs)
    if (entry.isDirectory()) continue
    files += 1
    bytes += found.size
  }
  if (changedAt === 0) changedAt = (await lstat(dir)).ctimeMs
  return { signature: `${files} ${bytes} ${changedAt}`, changedAt }
}

/** What is still to come, as the end of a sentence; undefined when every file is there in its full size. */
export async function missingPart(dir: string): Promise<string | undefined> {
  const { manifest } = await readManifest(dir)
  for (const file of manifest.files) {
    const found = await lstat(join(dir, ...file.path.split('/'))).catch(() => undefined)
    if (!found) return `${file.path} is missing`
    if (found.size < file.size) return `${file.path} is not complete`
  }
  return undefined
}

/** A zip may also be a foreign model, such as TF.js's model.json with its shards. */
export async function zipHoldsPackage(zipPath: string): Promise<boolean> {
  const names = await readZipNames(zipPath)
  return names.some((name) => name === MANIFEST || /^[^/]+\/manifest\.json$/.test(name))
}

/** The details beside a foreign model; undefined when they are not there or not readable. */
export async function foreignDetails(item: ItemOnDisk): Promise<unknown> {
  try {
    return JSON.parse(await readFile(`${item.path}.json`, 'utf8')) as unknown
  } catch {
    return undefined
  }
}

/** True when it was refused and has not changed since, also by an earlier process. */
export async function isRefused(item: ItemOnDisk): Promise<boolean> {
  const note = await stat(item.path + PROBLEM_SUFFIX).catch(() => undefined)
  return note !== undefined && note.ctimeMs >= item.changedAt
}
