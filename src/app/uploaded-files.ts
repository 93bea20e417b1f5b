// Files that somebody sent, wherever they lie until they are used. Reading them from a request is src/server/http/uploads.ts.
import { AppError } from '../errors.ts'

const MIB = 1024 * 1024

export interface UploadedFile {
  readonly field: string
  /** As the client named it; for showing and for its ending only. */
  readonly fileName: string
  readonly size: number
  /** The content, when it was kept in memory. */
  readonly bytes: Uint8Array | undefined
  /** Where it was spooled, when a folder was given. */
  readonly path: string | undefined
}

export interface Upload {
  readonly fields: ReadonlyMap<string, string>
  readonly files: readonly UploadedFile[]
  /** Removes what was spooled; safe to call twice. */
  dispose(): Promise<void>
}

export function tooLarge(maxBytes: number): AppError {
  const limit = maxBytes >= MIB ? `${Math.floor(maxBytes / MIB)} MiB` : `${maxBytes} bytes`
  return new AppError('upload-too-large', `The file is larger than the limit of ${limit}.`)
}
