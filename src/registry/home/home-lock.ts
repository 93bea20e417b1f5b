// One writer a home: held SQLite locks in the data folder and in the model store, which the system releases however the
// process ends.
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { AppError } from '../../errors.ts'
import { makeFolders } from '../../package/make-folders.ts'

export interface HomeLock {
  /** Safe to call twice. */
  release(): void
}

/** @throws AppError `home-in-use` when another process holds it; `unavailable` when the folder cannot be written */
export function lockHome(dataDir: string): HomeLock {
  return holdLock(join(dataDir, 'home.lock'), {
    dir: dataDir,
    what: 'data folder',
    setting: 'ROENTGEN_DATA',
  })
}

/** The model store has one writer too, whatever data folder that one has. @throws AppError as `lockHome` */
function lockStore(modelsDir: string): HomeLock {
  return holdLock(join(modelsDir, '.lock'), {
    dir: modelsDir,
    what: 'model store',
    setting: 'ROENTGEN_MODELS',
  })
}

/** Both locks of a home, or neither. @throws AppError as `lockHome` */
export function lockFolders(dirs: { dataDir: string; modelsDir: string }): HomeLock {
  const home = lockHome(dirs.dataDir)
  try {
    const store = lockStore(dirs.modelsDir)
    return {
      release: () => {
        store.release()
        home.release()
      },
    }
  } catch (error) {
    home.release()
    throw error
  }
}

interface Locked {
  readonly dir: string
  readonly what: string
  readonly setting: string
}

function holdLock(path: string, { dir, what, setting }: Locked): HomeLock {
  let sqlite: SQLite.Database | undefined
  try {
    makeFolders(dir)
    sqlite = new SQLite(path, { timeout: 0 })
    sqlite.exec('begin exclusive')
  } catch (cause) {
    sqlite?.close()
    const code = (cause as { code?: string }).code ?? ''
    if (code.startsWith('SQLITE_BUSY')) {
      throw new AppError(
        'home-in-use',
        `Another Roentgen is running on this ${what}. Stop it, or give this one its own ${setting}.`,
        { cause },
      )
    }
    if (/^(ERR_DLOPEN_FAILED|MODULE_NOT_FOUND)$/.test(code)) {
      throw new AppError(
        'unavailable',
        'The database engine for this machine is not installed; run "npm ci" in the folder of Roentgen.',
        { cause },
      )
    }
    throw new AppError(
      'unavailable',
      `The ${what} (${setting}) cannot be written; check that it is there, its owner, and the free space.`,
      { cause },
    )
  }
  const held = sqlite
  return { release: () => void held.close() }
}
