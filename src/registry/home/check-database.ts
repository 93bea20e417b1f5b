// Is the database of a home sound? Looked at from outside, for reading only, whether a server works on it or not.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { AppError } from '../../errors.ts'
import { DATABASE_FILE } from './open-registry.ts'

/** True when this home has one. */
export function hasDatabase(dataDir: string): boolean {
  return existsSync(join(dataDir, DATABASE_FILE))
}

/** Pages, indexes and references, as SQLite checks them. @throws AppError `unavailable` with what to do */
export function checkDatabase(dataDir: string): void {
  const wrong = (what: string, cause?: unknown): never => {
    throw new AppError(
      'unavailable',
      `${what}; stop Roentgen and restore the last backup, or move ${DATABASE_FILE} away: it is then rebuilt from the packages.`,
      cause === undefined ? {} : { cause },
    )
  }
  let found: unknown
  let lost: unknown
  try {
    const sqlite = new SQLite(join(dataDir, DATABASE_FILE), { readonly: true, timeout: 5000 })
    try {
      found = sqlite.pragma('integrity_check(1)', { simple: true })
      lost = (sqlite.pragma('foreign_key_check') as unknown[]).length
    } finally {
      sqlite.close()
    }
  } catch (cause) {
    wrong('The database cannot be read', cause)
  }
  if (found !== 'ok') wrong('The database is damaged')
  if (lost !== 0) wrong('The database has broken references')
}
