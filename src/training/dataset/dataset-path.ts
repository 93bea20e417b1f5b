// A dataset's path as somebody sends it: a folder below the data root and nowhere else.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isAbsolute, join, win32 } from 'node:path'
import { AppError } from '../../errors.ts'

/** With forward slashes, without a trailing one. @throws AppError `invalid` */
export function parseDatasetPath(text: string): string {
  const parts = text.trim().split('/')
  const leaves = parts.some((part) => part === '..') || isAbsolute(text) || win32.isAbsolute(text)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in the name of a folder
  if (leaves || /[\u0000-\u001f\\]/.test(text) || text.length > 500) {
    throw new AppError(
      'invalid',
      'The path must name a folder inside the dataset folder (ROENTGEN_DATASETS), such as "chest-xray": ' +
        'no "..", no backslash, not from the root of the disk.',
      { extra: { field: 'path' } },
    )
  }
  const path = parts.filter((part) => part !== '' && part !== '.').join('/')
  if (text.trim() === '') {
    throw new AppError('invalid', 'Specify the folder to scan.', {
      extra: { field: 'path' },
    })
  }
  return path === '' ? '.' : path
}

/** The same path has the same id for ever. */
export function datasetId(path: string): string {
  const words = path.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  const slug = words.replaceAll(/^-+|-+$/g, '').slice(0, 40) || 'dataset'
  return `${slug}-${createHash('sha256').update(path).digest('hex').slice(0, 8)}`
}

/** Absolute path. @throws AppError `unknown-dataset` when no folder is there */
export async function datasetFolder(root: string, path: string): Promise<string> {
  const dir = join(root, path)
  const info = await stat(dir).catch(() => undefined)
  if (info?.isDirectory()) return dir
  throw new AppError(
    'unknown-dataset',
    `There is no folder "${path.slice(0, 200)}" in the dataset folder; put the images there, or set ROENTGEN_DATASETS.`,
  )
}
