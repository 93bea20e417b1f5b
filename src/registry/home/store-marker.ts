// Is the folder of the model store the store, or the empty place where it should be mounted? The store holds a file with an id,
// and the data folder knows that id.
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { AppError } from '../../errors.ts'
import type { VersionRef } from '../../package/ids.ts'
import { hasDatabase } from './check-database.ts'
import { DATABASE_FILE } from './open-registry.ts'

const MARKER = '.roentgen-store'
const KNOWN = 'store-id'

interface Dirs {
  readonly modelsDir: string
  readonly dataDir: string
}

/**
 * For a start, before anything is written. Whoever really has no packages any more says so with an empty marker.
 * @throws AppError `unavailable` when the registry knows versions, none of them is there, and the marker is not
 */
export function refuseUnmounted(dirs: Dirs): void {
  if (!hasDatabase(dirs.dataDir)) return
  const [marker, known] = [contentOf(dirs.modelsDir, MARKER), contentOf(dirs.dataDir, KNOWN)]
  if (marker !== undefined && (marker === '' || known === undefined || marker === known)) return
  const versions = knownVersions(dirs.dataDir)
  const isThere = ({ condition, name, n }: VersionRef): boolean =>
    existsSync(join(dirs.modelsDir, condition, name, `v${n}`, 'manifest.json'))
  if (versions.length === 0 || versions.some(isThere)) return
  throw new AppError(
    'unavailable',
    `The model store (ROENTGEN_MODELS) holds none of the ${versions.length} versions that the registry knows. ` +
      'If it lies on another disk, mount that and start again; nothing has been changed. ' +
      `If the packages are really gone, create an empty file "${MARKER}" in that folder to start without them.`,
  )
}

/** Marks the folder as the store. */
export function markStore(dirs: Dirs): void {
  const [marker, known] = [contentOf(dirs.modelsDir, MARKER), contentOf(dirs.dataDir, KNOWN)]
  const id = marker || known || randomUUID()
  if (marker !== id) writeFileSync(join(dirs.modelsDir, MARKER), `${id}\n`)
  if (known !== id) writeFileSync(join(dirs.dataDir, KNOWN), `${id}\n`)
}

/** False while the disk that it lies on is gone. */
export function isStoreThere({ modelsDir }: Pick<Dirs, 'modelsDir'>): boolean {
  return existsSync(join(modelsDir, MARKER))
}

function contentOf(dir: string, name: string): string | undefined {
  try {
    return readFileSync(join(dir, name), 'utf8').trim()
  } catch {
    return undefined
  }
}

/** A database that cannot be read is the business of those who open it. */
function knownVersions(dataDir: string): VersionRef[] {
  try {
    const sqlite = new SQLite(join(dataDir, DATABASE_FILE), { readonly: true, timeout: 5000 })
    try {
      const query = "select condition, name, n from versions where status <> 'deleted'"
      return sqlite.prepare(query).all() as VersionRef[]
    } finally {
      sqlite.close()
    }
  } catch {
    return []
  }
}
