// What makes two sets of images the same set: contents, classes and split, in any order and under any names.
import { createHash } from 'node:crypto'

export interface FingerprintedImage {
  readonly sha256: string
  readonly classes: readonly number[]
  readonly split: string
}

/** SHA-256 over the sorted lines "content hash, classes, split". */
export function fingerprint(images: readonly FingerprintedImage[]): string {
  const lines = images.map(
    ({ sha256, classes, split }) => `${sha256} ${classes.join('+')} ${split}`,
  )
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex')
}
