// Opens roentgen.sqlite: one writer process, write-ahead log, every commit on the disk before it is reported.
import { chmodSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { AppError, isDiskFull, messageOf } from '../../errors.ts'
import { makeFolders } from '../../package/make-folders.ts'
import type { Database, Db } from '../schema/database.ts'
import { MIGRATIONS } from '../schema/migrations.ts'

export const DATABASE_FILE = 'roentgen.sqlite'

export interface Registry {
  readonly db: Db
  /** Copies the database as of one instant to a new file, a few pages at a time between other work. */
  backup(to: string): Promise<void>
  /** Safe to call twice. */
  close(): Promise<void>
}

/**
 * Creates the data folder and the tables as needed. One connection, so a transaction must use its own `trx` for
 * everything: the outer `db` would wait for it for ever.
 * @throws AppError `unavailable` with what to do, when the file cannot be opened, read or brought up to date
 */
export async function openRegistry({ dataDir }: { dataDir: string }): Promise<Registry> {
  const sqlite = connect(dataDir)
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: forgiving(sqlite) }) })
  try {
    await migrate(db)
    scrubOnce(sqlite)
  } catch (cause) {
    await db.destroy()
    throw cause instanceof AppError ? cause : unusable(cause, dataDir)
  }
  let closing: Promise<void> | undefined
  return {
    db,
    backup: async (to) => void (await sqlite.backup(to)),
    close: () => {
      closing ??= db.destroy()
      return closing
    },
  }
}

function connect(dataDir: string): SQLite.Database {
  try {
    makeFolders(dataDir)
    const sqlite = new SQLite(join(dataDir, DATABASE_FILE), { timeout: 5000 })
    // Names of patients never get here, but readings do: nobody else's to read. The WAL takes the same mode.
    chmodSync(join(dataDir, DATABASE_FILE), 0o600)
    sqlite.pragma('journal_mode = WAL')
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    // What is deleted is overwritten, so that nothing forgotten can be read out of the file.
    sqlite.pragma('secure_delete = ON')
    return sqlite
  } catch (cause) {
    throw unusable(cause, dataDir)
  }
}

/** SQLite takes a transaction back by itself when the disk is full; asked to do so again it would say that, and not why. */
function forgiving(sqlite: SQLite.Database): SqliteDatabase {
  const prepare = (query: string) =>
    sqlite.prepare(query === 'rollback' && !sqlite.inTransaction ? 'select 1' : query)
  return { prepare, close: () => void sqlite.close() }
}

const SCRUBBED = 1

/** Databases of before `secure_delete` are written anew, once; without room for it, at another start. */
function scrubOnce(sqlite: SQLite.Database): void {
  if (Number(sqlite.pragma('user_version', { simple: true })) >= SCRUBBED) return
  try {
    sqlite.exec('vacuum')
    sqlite.pragma(`user_version = ${SCRUBBED}`)
    sqlite.pragma('wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (!isDiskFull(error)) throw error
  }
}

async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
  })
  const { error } = await migrator.migrateToLatest()
  if (!error) return
  if (/corrupted migrations/i.test(messageOf(error))) {
    throw new AppError(
      'unavailable',
      'The registry was written by a newer Roentgen; start that version, or restore a backup.',
      { cause: error },
    )
  }
  throw error
}

/** A database of no tables with its log needs about this much. */
const MIN_FREE_BYTES = 2 * 1024 * 1024

function unusable(cause: unknown, dataDir: string): AppError {
  const code = (cause as { code?: string }).code ?? ''
  const why =
    /FULL|ENOSPC/.test(code) || hasNoRoom(code, dataDir)
      ? 'the disk is full; free some space'
      : /CANTOPEN|READONLY|PERM|EACCES|EROFS|ENOTDIR|EEXIST/.test(code)
        ? 'the data folder cannot be written; check its owner and permissions'
        : /NOTADB|CORRUPT/.test(code)
          ? 'its file is damaged; restore a backup, or move it away and it is rebuilt from the packages'
          : 'the database did not answer; see the log'
  return new AppError('unavailable', `The registry cannot be opened: ${why}.`, { cause })
}

/** SQLite has other words for a disk without room: its shared memory cannot grow, or a rollback fails, too. */
function hasNoRoom(code: string, dataDir: string): boolean {
  if (/CANTOPEN|READONLY|PERM|EACCES|EROFS|ENOTDIR|EEXIST|NOTADB|CORRUPT/.test(code)) return false
  try {
    const { bavail, bsize } = statfsSync(dataDir)
    return bavail * bsize < MIN_FREE_BYTES
  } catch {
    return false
  }
}
