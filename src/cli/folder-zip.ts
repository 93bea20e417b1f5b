// A folder as one zip, for an import that was given a folder: a package, or a TF.js model with its shards.
import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { AppError } from '../errors.ts'

export interface TemporaryZip {
  readonly path: string
  remove(): Promise<void>
}

/** Plain files only; hidden ones and links are left out. @throws AppError `invalid` when there is nothing */
export async function zipFolder(folder: string): Promise<TemporaryZip> {
  const zip = new ZipFile()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split(sep).some((part) => part.startsWith('.')))
    .sort()
  if (files.length === 0) throw new AppError('invalid', 'The folder holds no files.')
  for (const path of files) zip.addFile(join(folder, path), path.split(sep).join('/'))
  zip.end()

  const temporary = await mkdtemp(join(tmpdir(), 'roentgen-import-'))
  const remove = () => rm(temporary, { recursive: true, force: true })
  const path = join(temporary, 'folder.zip')
  try {
    const stream = zip.outputStream as Readable
    zip.on('error', (error: Error) => stream.destroy(error))
    await pipeline(stream, createWriteStream(path))
  } catch (error) {
    await remove()
    throw error
  }
  return { path, remove }
}
