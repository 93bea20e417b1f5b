// A file read once, with the guarantee that exactly the bytes handed out have the expected digest.
// Used by the model host too, so it imports nothing heavy.
import { readFile } from 'node:fs/promises'
import { AppError } from '../../errors.ts'
import { sha256Of } from '../../package/hash-file.ts'

/** @throws AppError `hash-mismatch` when the file cannot be read or has other bytes */
export async function readVerified(path: string, sha256: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause) => {
    throw new AppError('hash-mismatch', 'A file of the private copy cannot be read.', { cause })
  })
  if (sha256Of(bytes) === sha256) return bytes
  throw new AppError('hash-mismatch', 'A file of the private copy does not match its checksum.')
}
