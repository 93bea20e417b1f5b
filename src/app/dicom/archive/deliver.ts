// Where results go: into the archive, or into a folder beside the images.
import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArchiveAddress, storeObjects } from './dicomweb-client.ts'
import type { Deliver } from './process-job.ts'

/** Below the watched folder; what lies there is ours and not watched. */
export const RESULTS_FOLDER = 'roentgen-results'

export function deliverTo(o: {
  readonly archive: ArchiveAddress | undefined
  readonly folder: string | undefined
  readonly dataDir: string
}): Deliver {
  return async ({ source, study, objects }) => {
    if (o.archive) return storeObjects(o.archive, { study, objects })
    const root =
      source === 'folder' && o.folder
        ? join(o.folder, RESULTS_FOLDER)
        : join(o.dataDir, 'archive', 'results')
    const folder = join(root, study)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const object of objects) {
      // The same result has the same bytes, and so the same name.
      const name = createHash('sha256').update(object).digest('hex').slice(0, 32)
      const temporary = join(folder, `.${name}`)
      await writeFile(temporary, object, { mode: 0o600, flush: true })
      await rename(temporary, join(folder, `${name}.dcm`))
    }
  }
}
