// A backup back into an empty home: unpacked beside it, every byte proved, then moved into place, the database last.
import { copyFile, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../../errors.ts'
import { exists, flush, flushTree, moveFolder } from '../../package/durable-files.ts'
import { sha256Of, sha256OfFile } from '../../package/hash-file.ts'
import { readManifestBytes } from '../../package/manifest.ts'
import { MANIFEST } from '../../package/package-paths.ts'
import { unzipSafely } from '../../package/unzip-package.ts'
import { scanStore } from '../versions/scan-store.ts'
import { type BackupIndex, BackupIndexSchema, INDEX_FILE } from './backup.ts'
import { lockFolders } from './home-lock.ts'
import { DATABASE_FILE } from './open-registry.ts'
import { openStore, packageDir, type Store } from './store.ts'

export interface Restored {
  readonly createdAt: string
  readonly versions: number
  readonly files: number
}

/** Our own archives: as large as they need to be, and a database of empty pages shrinks to almost nothing. */
const LIMITS = { maxEntries: 10_000_000, maxTotalBytes: Number.MAX_SAFE_INTEGER, maxRatio: 1032 }

/**
 * Packages that are in the store already must be those of the backup. Restored or refused as a whole.
 * @throws AppError `home-in-use`; `conflict` when the home is not empty; `invalid-package` when the archive is no
 * backup, or not whole
 */
export async function restoreBackup(
  zipPath: string,
  dirs: { modelsDir: string; dataDir: string },
): Promise<Restored> {
  const lock = lockFolders(dirs)
  const staged = join(dirs.modelsDir, '.staging', `restore-${process.pid}`)
  try {
    const store = await openStore(dirs)
    if (await exists(join(dirs.dataDir, DATABASE_FILE))) {
      throw new AppError(
        'conflict',
        'This home already has a registry; restore into an empty ROENTGEN_DATA and ROENTGEN_MODELS.',
      )
    }
    await rm(staged, { recursive: true, force: true })
    await unzipSafely(zipPath, { toDir: staged, limits: LIMITS })
    const index = await readIndex(staged)
    await proveFiles(staged, index)
    await refuseOthers(store, staged)
    await moveIntoPlace(store, { staged, index })
    return { createdAt: index.createdAt, versions: index.versions, files: index.files.length }
  } finally {
    await rm(staged, { recursive: true, force: true })
    lock.release()
  }
}

async function readIndex(staged: string): Promise<BackupIndex> {
  const text = await readFile(join(staged, INDEX_FILE), 'utf8').catch(() => undefined)
  if (text === undefined) {
    throw new AppError('invalid-package', 'This zip is not a Roentgen backup, or it is incomplete.')
  }
  const parsed = BackupIndexSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new AppError('invalid-package', 'The list of files in this backup cannot be read.')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function proveFiles(staged: string, { files }: BackupIndex): Promise<void> {
  for (const { path, sha256 } of files) {
    const found = await sha256OfFile(join(staged, ...path.split('/'))).catch(() => undefined)
    if (found === sha256) continue
    throw new AppError('invalid-package', `The backup is damaged: ${path} is not what was saved.`)
  }
  if (!files.some(({ path }) => path === `data/${DATABASE_FILE}`)) {
    throw new AppError('invalid-package', 'The backup holds no database.')
  }
}

/** What lies in the store and is not in the backup would be adopted under a number that may be taken. */
async function refuseOthers(store: Store, staged: string): Promise<void> {
  for (const ref of await scanStore(store.modelsDir)) {
    const mine = await readManifestBytes(packageDir(store, ref))
    const saved = await readManifestBytes(stagedDir(staged, ref))
    if (mine && saved && sha256Of(mine) === sha256Of(saved)) continue
    throw new AppError(
      'conflict',
      `The model store holds ${ref.condition}/${ref.name}@${ref.n}, which is not in the backup; restore into an empty one.`,
    )
  }
}

async function moveIntoPlace(
  store: Store,
  { staged, index }: { staged: string; index: BackupIndex },
): Promise<void> {
  const packages = new Set(
    index.files
      .filter(({ path }) => path.startsWith('models/') && !path.startsWith('models/logs/'))
      .map(({ path }) => path.split('/').slice(1, path.startsWith('models/.bin/') ? 5 : 4))
      .map((segments) => segments.join('/')),
  )
  await flushTree(staged)
  for (const path of packages) {
    const to = join(store.modelsDir, path)
    // One that is there was compared; whether its other files are intact, the next start finds out.
    if (!(await exists(join(to, MANIFEST)))) await moveFolder(join(staged, 'models', path), to)
  }
  for (const { path } of index.files) {
    if (path.startsWith('models/logs/')) {
      await copyDurably(join(staged, path), join(store.modelsDir, path.slice('models/'.length)))
    } else if (path.startsWith('data/uploads/')) {
      await copyDurably(join(staged, path), join(store.dataDir, path.slice('data/'.length)))
    }
  }
  // From here on the home is the restored one.
  await copyDurably(join(staged, 'data', DATABASE_FILE), join(store.dataDir, DATABASE_FILE))
}

async function copyDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await copyFile(from, to)
  const handle = await open(to, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await flush(dirname(to))
}

function stagedDir(staged: string, ref: { condition: string; name: string; n: number }): string {
  return join(staged, 'models', ref.condition, ref.name, `v${ref.n}`)
}
