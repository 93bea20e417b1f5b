// A package's ONNX files hold all their numbers: one that names another file would have ONNX Runtime read it from the server.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { externalDataSentence, findExternalData } from '../engine/onnx/external-data.ts'
import { AppError } from '../errors.ts'
import { shown } from './package-paths.ts'
import type { FileEntry } from './schema.ts'

/** @throws AppError `invalid-package` naming the file */
export async function refuseExternalData(dir: string, files: readonly FileEntry[]): Promise<void> {
  for (const { path } of files) {
    if (!path.toLowerCase().endsWith('.onnx')) continue
    const place = await searchFile(dir, path)
    if (place === undefined) continue
    throw new AppError('invalid-package', `${shown(path)}: ${externalDataSentence(place)}`)
  }
}

/** What cannot be followed is no session either: the process that would run it refuses it. */
async function searchFile(dir: string, path: string): Promise<string | undefined> {
  const bytes = await readFile(join(dir, path))
  try {
    return findExternalData(bytes)
  } catch {
    return undefined
  }
}
