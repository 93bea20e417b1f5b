// What makes two imports of foreign models the same: the bytes that were sent, what was answered about them, and the
// converter. The package that comes of it has times in it, so its own digest cannot tell.
import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { sha256OfFile } from '../../package/hash-file.ts'
import type { ForeignFields } from './foreign-fields.ts'
import type { ImportJob } from './import-job.ts'

/** To be raised whenever the same file and answers would be converted to another model than before. */
const CONVERTER = 1

export interface ImportKey {
  /** Of the file, or of model.json where a folder is given. */
  readonly sourceSha256: string
  /** SHA-256; the file's name is no part of it. */
  readonly importKey: string
}

/** @throws AppError `invalid-package` when a folder has no model.json */
export async function importKeyOf(model: {
  readonly kind: ImportJob['kind']
  readonly path: string
  readonly fields: ForeignFields
}): Promise<ImportKey> {
  const { kind, path, fields } = model
  const files = kind === 'tfjs-folder' ? await filesOf(path) : [['', path] as const]
  const digests: (readonly [string, string])[] = []
  for (const [name, file] of files) digests.push([name, await sha256OfFile(file)])
  const source = digests.find(([name]) => name === '' || name === 'model.json')
  const text = JSON.stringify([CONVERTER, kind, digests, fields])
  const importKey = createHash('sha256').update(text).digest('hex')
  return { sourceSha256: source?.[1] ?? '', importKey }
}

/** The weights lie beside model.json: two models of one shape differ there only. */
async function filesOf(dir: string): Promise<(readonly [string, string])[]> {
  if (!(await stat(join(dir, 'model.json')).catch(() => undefined))) {
    throw new AppError('invalid-package', 'There is no model.json in the model folder.')
  }
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [file.slice(dir.length + 1).replaceAll('\\', '/'), file] as const)
}
