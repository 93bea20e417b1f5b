// The images of a folder, by name, those of its sub-folders too. Links are not followed: they lead anywhere.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { AppError } from '../../errors.ts'
import { tooLarge } from '../uploaded-files.ts'
import { type BatchSource, inNameOrder, isClutter, MAX_ITEMS } from './batch-item.ts'

/** @throws AppError `invalid` when there is no file or too many */
export async function openFolder(
  folder: string,
  { maxBytes }: { readonly maxBytes: number },
): Promise<BatchSource> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => !isClutter(name))
    .sort(inNameOrder)
  if (names.length === 0) throw new AppError('invalid', 'The folder holds no files.')
  if (names.length > MAX_ITEMS) {
    const sentence = `The folder has ${names.length} files; at most ${MAX_ITEMS} are read at once.`
    throw new AppError('invalid', sentence)
  }
  const read = async (name: string) => {
    const path = join(folder, ...name.split('/'))
    try {
      if ((await stat(path)).size > maxBytes) throw tooLarge(maxBytes)
      return await readFile(path)
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      throw new AppError('undecodable-image', 'The file cannot be read.', { cause })
    }
  }
  const items = names.map((name) => ({ name, read: () => read(name) }))
  return { items, close: async () => {} }
}
