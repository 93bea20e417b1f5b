// The features of an image as one row: each averaged over each quarter of the image. Small enough for every answer of a
// host. Quarters and not the whole, because a body part is also where things are: on drawn images the whole's average told 8
// of 30 skin photographs from chests, the quarters' 28.
import type { Volume } from '../host/raw-output.ts'

/** `features` are [1, h, w, F]; returns [4, F]: above left, above right, below left, below right. */
export function pooled({ data, dims }: Volume): Float32Array {
  const [, height = 1, width = 1, count = 1] = dims
  const sums = new Float64Array(4 * count)
  const places = new Float64Array(4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const quarter = (2 * y >= height ? 2 : 0) + (2 * x >= width ? 1 : 0)
      const from = (y * width + x) * count
      places[quarter] = (places[quarter] ?? 0) + 1
      for (let i = 0; i < count; i++) {
        const at = quarter * count + i
        sums[at] = (sums[at] ?? 0) + (data[from + i] ?? 0)
      }
    }
  }
  // A map of one row or column has no lower or right quarters: they stay 0.
  return Float32Array.from(
    sums,
    (sum, at) => sum / Math.max(1, places[Math.floor(at / count)] ?? 1),
  )
}
