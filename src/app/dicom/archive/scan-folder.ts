// Looks for new DICOM files in a watched folder. A file counts once its size and time are the same in two looks; it stays
// where it is. A timer and not the system's news, which network folders do not give.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { asAppError } from '../../problem.ts'
import type { Uses } from '../../services.ts'
import { RESULTS_FOLDER } from './deliver.ts'
import { receiveImage } from './intake.ts'
import type { Spool } from './spool.ts'

/** What was seen of each file, by its path; held in memory only, for names may be names of people. */
export type Sightings = Map<string, { readonly mark: string; isTaken: boolean }>

/** One look. @throws AppError or the system's error when the folder cannot be read */
export async function scanFolder(
  services: Uses<'clock' | 'config' | 'db' | 'imaging' | 'jobs' | 'leaving'>,
  o: {
    readonly folder: string
    readonly seen: Sightings
    readonly spool: Spool
  },
): Promise<void> {
  const entries = await readdir(o.folder, { recursive: true, withFileTypes: true })
  const there = new Set(entries.map(({ parentPath, name }) => join(parentPath, name)))
  for (const path of o.seen.keys()) if (!there.has(path)) o.seen.delete(path)
  for (const entry of entries) {
    if (services.leaving.aborted) return
    if (!entry.isFile() || entry.name.startsWith('.')) continue
    const path = join(entry.parentPath, entry.name)
    if (relative(o.folder, path).split(sep)[0] === RESULTS_FOLDER) continue
    const info = await stat(path).catch(() => undefined)
    if (!info || info.size > services.config.maxUploadBytes) continue
    const mark = `${info.size} ${info.mtimeMs}`
    const before = o.seen.get(path)
    if (before?.mark !== mark) {
      o.seen.set(path, { mark, isTaken: false })
      continue
    }
    if (before.isTaken) continue
    before.isTaken = true
    try {
      await receiveImage(services, {
        bytes: await readFile(path),
        source: 'folder',
        spool: o.spool,
      })
    } catch (error) {
      const { code } = asAppError(error)
      // Other files may lie there too; those that could not be looked at now are looked at again.
      if (code === 'busy' || code === 'unavailable' || code === 'disk-full') before.isTaken = false
    }
  }
}
