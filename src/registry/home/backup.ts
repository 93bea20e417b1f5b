// A backup: the database as of one instant and everything that it speaks of, streamed as one zip while the server works.
// Prepared pixels and private copies are left out: they are made again from what is there. Restoring: restore.ts.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, type Readable, Transform } from 'node:stream'
import SQLite from 'better-sqlite3'
import { ZipFile } from 'yazl'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { exists } from '../../package/durable-files.ts'
import type { VersionRef } from '../../package/ids.ts'
import { listFiles } from '../../package/package-paths.ts'
import { DATABASE_FILE, type Registry } from './open-registry.ts'
import type { Clock } from './registry-context.ts'
import { binnedDir, packageDir, type Store } from './store.ts'

/** So long a reader may take nothing. */
const MAX_STALL_MS = 5 * 60_000

/** Written last: an archive without it is cut off. */
export const INDEX_FILE = 'backup.json'

/** backup.json: what is in the archive, to be proved on the way back. */
export const BackupIndexSchema = z.object({
  schema: z.literal(1),
  createdAt: z.iso.datetime({ offset: true }),
  /** The product's version. */
  product: z.string(),
  versions: z.int().min(0),
  /** What of it is secret; absent in older backups. */
  holds: z
    .object({
      predictions: z.int().min(0),
      images: z.int().min(0),
      comments: z.int().min(0),
      /** Of notifications. */
      addresses: z.int().min(0),
      signingSecrets: z.int().min(0),
    })
    .optional(),
  files: z.array(
    z.object({
      path: z.string(),
      size: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
})
export type BackupIndex = Readonly<z.infer<typeof BackupIndexSchema>>

export type BackupHoldings = NonNullable<BackupIndex['holds']>

export interface Backup {
  /** Ends with an error when something cannot be read; the archive is then useless. */
  readonly stream: Readable
  /** `roentgen-backup-2026-03-03T140500Z.zip` */
  readonly fileName: string
  readonly holds: BackupHoldings
}

export interface BackupOptions {
  readonly registry: Registry
  readonly store: Store
  readonly clock: Clock
  readonly product: string
}

interface Source {
  /** In the archive. */
  readonly path: string
  /** On disk, the first that is there: a version may move to the trash or back while the archive is written. */
  readonly from: readonly string[]
}

/** The database is copied before this resolves; files are read as the stream is. */
export async function createBackup(options: BackupOptions): Promise<Backup> {
  const { registry, store, clock, product } = options
  const createdAt = clock()
  const folder = join(store.stagingDir, `backup-${randomUUID()}`)
  const snapshot = join(folder, DATABASE_FILE)
  // It holds what was read of patients, as the database does.
  await mkdir(folder, { mode: 0o700 })
  try {
    await registry.backup(snapshot)
    await chmod(snapshot, 0o600)
    const held = readSnapshot(snapshot)
    const sources: Source[] = [{ path: `data/${DATABASE_FILE}`, from: [snapshot] }]
    for (const version of held.versions) sources.push(...(await packageFiles(store, version)))
    for (const name of held.images) {
      const from = join(store.uploadsDir, name)
      // It may have been forgotten since the snapshot, as its owner wished.
      if (await exists(from)) sources.push({ path: `data/uploads/${name}`, from: [from] })
    }
    for (const name of await plainNames(store.logsDir)) {
      sources.push({ path: `models/logs/${name}`, from: [join(store.logsDir, name)] })
    }
    const { holds } = held
    const versions = held.versions.length
    const head = { createdAt: createdAt.toISOString(), product, versions, holds }
    const stream = zipOf(sources, head)
    stream.once('close', () => void rm(folder, { recursive: true, force: true }))
    const stamp = createdAt.toISOString().slice(0, 19).replaceAll(':', '')
    return { stream, fileName: `roentgen-backup-${stamp}Z.zip`, holds }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** What the snapshot speaks of; the live database may already say something else. */
function readSnapshot(path: string): {
  versions: (VersionRef & { isDeleted: boolean })[]
  images: string[]
  holds: BackupHoldings
} {
  const sqlite = new SQLite(path)
  try {
    // One file, without the log beside it that the live database has.
    sqlite.pragma('journal_mode = DELETE')
    const versions = sqlite
      .prepare('select condition, name, n, status from versions order by id')
      .all() as (VersionRef & { status: string })[]
    const images = sqlite
      .prepare('select image_file from predictions where image_file is not null')
      .pluck()
      .all() as string[]
    const count = (query: string): number => sqlite.prepare(query).pluck().get() as number
    const holds = {
      predictions: count('select count(*) from predictions'),
      images: images.length,
      comments: count('select count(*) from feedback where comment is not null'),
      addresses: count('select count(*) from notification_targets'),
      signingSecrets: count('select count(*) from notification_targets where secret is not null'),
    }
    return {
      holds,
      versions: versions.map(({ status, ...ref }) => ({ ...ref, isDeleted: status === 'deleted' })),
      images,
    }
  } finally {
    sqlite.close()
  }
}

/** A damaged package is kept as it is. One whose files are gone has none. */
async function packageFiles(
  store: Store,
  { isDeleted, ...ref }: VersionRef & { isDeleted: boolean },
): Promise<Source[]> {
  const places = [packageDir(store, ref), binnedDir(store, ref)]
  const top = `models/${isDeleted ? '.bin/' : ''}${ref.condition}/${ref.name}/v${ref.n}`
  for (const dir of isDeleted ? places.toReversed() : places) {
    if (!(await exists(dir))) continue
    const paths = await listFiles(dir)
    return paths.map((path) => ({
      path: `${top}/${path}`,
      from: places.map((place) => join(place, ...path.split('/'))),
    }))
  }
  return []
}

async function plainNames(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  return entries.filter((one) => one.isFile() && !one.name.startsWith('.')).map((one) => one.name)
}

function zipOf(
  sources: readonly Source[],
  head: Pick<BackupIndex, 'createdAt' | 'product' | 'versions' | 'holds'>,
): Readable {
  const zip = new ZipFile()
  const out = watchedStream()
  const fail = (cause: Error): void => void out.destroy(cause)
  zip.on('error', fail)
  const files: BackupIndex['files'] = []
  for (const { path, from } of sources) {
    const compress = !/\.(png|pdf|onnx|bin|safetensors|h5|keras)$/.test(path)
    zip.addReadStreamLazy(path, { mode: 0o100600, compress }, (give) => {
      openFirst(from).then(
        (stream) => give(null, counted(stream, { path, files, fail })),
        (error: Error) => give(error, new PassThrough()),
      )
    })
  }
  zip.addReadStreamLazy(INDEX_FILE, { mode: 0o100600 }, (give) => {
    const index = { schema: 1, ...head, files }
    const text = new PassThrough()
    text.end(`${JSON.stringify(index, null, 1)}\n`)
    give(null, text)
  })
  zip.end()
  const zipped = zip.outputStream as Readable
  zipped.on('error', fail)
  out.on('close', () => zipped.destroy())
  zipped.pipe(out)
  return out
}

/** Ends with an error when nobody has taken anything for a while: a backup keeps others from being made. */
function watchedStream(): Transform {
  const stalled = (): void => void out.destroy(new Error('nobody reads the backup'))
  const timer = setTimeout(stalled, MAX_STALL_MS)
  const out = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh()
      done(null, chunk)
    },
  })
  timer.unref()
  out.once('close', () => clearTimeout(timer))
  return out
}

async function openFirst(paths: readonly string[]): Promise<Readable> {
  for (const path of paths) if (await exists(path)) return createReadStream(path)
  throw new AppError('unavailable', 'A file was removed during the backup; start it again.')
}

/** Notes size and digest of what goes by. */
function counted(
  stream: Readable,
  o: { path: string; files: BackupIndex['files']; fail: (error: Error) => void },
): Readable {
  const hash = createHash('sha256')
  let size = 0
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      size += chunk.length
      done(null, chunk)
    },
    flush(done) {
      o.files.push({ path: o.path, size, sha256: hash.digest('hex') })
      done()
    },
  })
  stream.on('error', o.fail)
  return stream.pipe(through)
}
