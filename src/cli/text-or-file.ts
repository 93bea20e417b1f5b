// An option that is a short word, or names a file that holds the value.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '../errors.ts'

/** What ends with .json is a file that holds the value. @throws AppError `invalid` */
export async function textOrFile(value: string): Promise<string> {
  if (!value.endsWith('.json')) return value
  try {
    return await readFile(value, 'utf8')
  } catch (cause) {
    throw new AppError('invalid', `"${basename(value)}" does not exist or is not readable.`, {
      cause,
    })
  }
}
