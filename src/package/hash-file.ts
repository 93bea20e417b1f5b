// Size and digests of a file, read as a stream so that a large checkpoint needs no memory.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

export interface FileDigest {
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
  readonly md5: string
}

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** As `hashFile`, without the MD5, which takes as long again and proves nothing. */
export async function sha256OfFile(path: string): Promise<string> {
  const sha256 = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    sha256.update(chunk as Buffer)
  }
  return sha256.digest('hex')
}

export async function hashFile(path: string): Promise<FileDigest> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  let size = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = chunk as Buffer
    size += bytes.length
    sha256.update(bytes)
    md5.update(bytes)
  }
  return { size, sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}
