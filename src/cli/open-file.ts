// A file that a person named, to be sent in a form.
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { AppError } from '../errors.ts'

/** Read from the disk as it is sent. @throws AppError `invalid` when it cannot be opened */
export async function openFile(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path)
  } catch (cause) {
    const message = `The file "${basename(path)}" does not exist or is not readable.`
    throw new AppError('invalid', message, { cause })
  }
}
