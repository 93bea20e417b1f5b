// Images that are the same picture saved again: equal but for what compression, a new size or a shade of brightness changes.
import { BLOCKS } from './inspect-image.ts'

/** Of 256 greys. Two films of one patient differ by far more. */
const MAX_MEAN_DIFFERENCE = 1.5
const MAX_BLOCK_DIFFERENCE = 10

export interface Thumbnail {
  /** BLOCKS x BLOCKS mean greys. */
  readonly blocks: Uint8Array
}

/**
 * Pairs of indices. Only images of almost equal mean grey are compared, so a hundred thousand take seconds.
 */
export function nearDuplicates(images: readonly Thumbnail[]): [number, number][] {
  const count = BLOCKS * BLOCKS
  const byMean = images
    .map(({ blocks }, index) => ({
      index,
      blocks,
      mean: blocks.reduce((a, b) => a + b, 0) / count,
    }))
    .sort((a, b) => a.mean - b.mean || a.index - b.index)
  const pairs: [number, number][] = []
  for (const [place, one] of byMean.entries()) {
    for (let next = place + 1; next < byMean.length; next++) {
      const other = byMean[next]
      if (!other || other.mean - one.mean > MAX_MEAN_DIFFERENCE) break
      if (isAlike(one.blocks, other.blocks)) {
        pairs.push([Math.min(one.index, other.index), Math.max(one.index, other.index)])
      }
    }
  }
  return pairs.sort(([a, b], [c, d]) => a - c || b - d)
}

function isAlike(a: Uint8Array, b: Uint8Array): boolean {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number))
    if (difference > MAX_BLOCK_DIFFERENCE) return false
    sum += difference
    if (sum > MAX_MEAN_DIFFERENCE * a.length) return false
  }
  return true
}
