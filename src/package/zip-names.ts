// The names in a zip, to tell what it holds before it is unpacked. Nothing is trusted: unpacking checks them.
import { openPromise } from 'yauzl'
import { AppError } from '../errors.ts'

const MAX_ENTRIES = 10_000

/** @throws AppError `invalid-package` when it is no zip, or cut off */
export async function readZipNames(zipPath: string): Promise<readonly string[]> {
  try {
    const zip = await openPromise(zipPath, { autoClose: false, strictFileNames: false })
    try {
      const names: string[] = []
      for await (const entry of zip.eachEntry()) {
        names.push(entry.fileName)
        if (names.length >= MAX_ENTRIES) break
      }
      return names
    } finally {
      zip.close()
    }
  } catch (cause) {
    throw new AppError('invalid-package', 'This zip file is damaged or cut off; send it again.', {
      cause,
    })
  }
}
