// Check sums of a file, read once.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

export interface CheckSums {
  readonly md5: string
  readonly sha256: string
}

export async function checkSums(path: string): Promise<CheckSums> {
  const [md5, sha256] = [createHash('md5'), createHash('sha256')]
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      md5.update(chunk)
      sha256.update(chunk)
    }
  })
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') }
}
