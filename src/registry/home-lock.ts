// One writer a home: a held SQLite lock on data/home.lock, which the system releases however the process ends.
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { AppError } from '../errors.ts'
import { makeFolders } from '../package/make-folders.ts'

export interface HomeLock {
  /** Safe to call twice. */
  release(): void
}

/** @throws AppError `home-in-use` when another process holds it; `unavailable` when the folder cannot be written */
export function lockHome(dataDir: string): HomeLock {
  let sqlite: SQLite.Database | undefined
  try {
    makeFolders(dataDir)
    sqlite = new SQLite(join(dataDir, 'home.lock'), { timeout: 0 })
    sqlite.exec('begin exclusive')
  } catch (cause) {
    sqlite?.close()
    if (/^SQLITE_BUSY/.test((cause as { code?: string }).code ?? '')) {
      throw new AppError(
        'home-in-use',
        'Another Roentgen is running on this data folder. Stop it, or give this one its own ROENTGEN_DATA.',
        { cause },
      )
    }
    if (/^(ERR_DLOPEN_FAILED|MODULE_NOT_FOUND)$/.test((cause as { code?: string }).code ?? '')) {
      throw new AppError(
        'unavailable',
        'The database engine for this machine is not installed; run "npm ci" in the folder of Roentgen.',
        { cause },
      )
    }
    throw new AppError(
      'unavailable',
      'The data folder (ROENTGEN_DATA) cannot be written; check that it is there, its owner, and the free space.',
      { cause },
    )
  }
  const held = sqlite
  return { release: () => void held.close() }
}
