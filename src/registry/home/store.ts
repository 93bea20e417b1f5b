// Where things lie on disk: the model store and the folders of data that the registry looks after.
import { chmodSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { VersionRef } from '../../package/ids.ts'
import { makeFolders } from '../../package/make-folders.ts'
import { markStore } from './store-marker.ts'

export interface Store {
  readonly modelsDir: string
  readonly dataDir: string
  readonly inboxDir: string
  readonly logsDir: string
  /** On the same file system as the packages, so that a finished one is renamed into place. Emptied at each start. */
  readonly stagingDir: string
  /** Deleted packages, in the same order of folders as the store. */
  readonly binDir: string
  /** Kept images of predictions. */
  readonly uploadsDir: string
}

/** Creates the folders. @throws AppError `unavailable` when one cannot be made */
export async function openStore(dirs: { modelsDir: string; dataDir: string }): Promise<Store> {
  const store: Store = {
    ...dirs,
    inboxDir: join(dirs.modelsDir, 'inbox'),
    logsDir: join(dirs.modelsDir, 'logs'),
    stagingDir: join(dirs.modelsDir, '.staging'),
    binDir: join(dirs.modelsDir, '.bin'),
    uploadsDir: join(dirs.dataDir, 'uploads'),
  }
  try {
    for (const dir of [store.inboxDir, store.logsDir, store.stagingDir, store.uploadsDir]) {
      makeFolders(dir)
      await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
    }
    // Also those of before files were for their owner only.
    for (const dir of [store.dataDir, store.stagingDir, store.logsDir]) chmodSync(dir, 0o700)
    markStore(dirs)
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'The model store or the data folder cannot be written; check ROENTGEN_MODELS and ROENTGEN_DATA, ' +
        'their owner and permissions, and the free space.',
      { cause },
    )
  }
  return store
}

/** models/<condition>/<name>/v<n> */
export function packageDir(store: Store, ref: VersionRef): string {
  return join(store.modelsDir, ref.condition, ref.name, `v${ref.n}`)
}

/** models/.bin/<condition>/<name>/v<n> */
export function binnedDir(store: Store, ref: VersionRef): string {
  return join(store.binDir, ref.condition, ref.name, `v${ref.n}`)
}

/** models/<condition>/active.json */
export function pointerPath(store: Store, condition: string): string {
  return join(store.modelsDir, condition, 'active.json')
}
