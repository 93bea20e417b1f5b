// Which source samples make one output sample along an axis, and with which weights. Pure numbers, no pixels.

/** A separable filter at one axis: output i is the sum over k of weights[i*taps+k] * source[first[i]+k]. */
export interface AxisWeights {
  readonly first: Int32Array
  /** One past the last source sample of each output; at most `taps` after the first. */
  readonly end: Int32Array
  readonly taps: number
  /** [outputs * taps]; each output's weights sum to 1. */
  readonly weights: Float64Array
}

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic' | 'area'

export interface AxisMapping {
  readonly sourceLength: number
  readonly outputLength: number
  /** The stretch of the source that the output covers, in source samples; may be fractional. */
  readonly from: number
  readonly to: number
  readonly interpolation: Interpolation
  /** Widen bilinear and bicubic when shrinking, so that every source sample counts. */
  readonly antialias: boolean
}

/**
 * Sample centres are at half positions, as in Pillow, OpenCV and tf.image (TF 2). Near a border the filter is cut and
 * renormalised, as in Pillow. `area` weighs source samples by how much of them an output covers (tf.image AREA).
 */
export function axisWeights(mapping: AxisMapping): AxisWeights {
  const { sourceLength, outputLength, from, to, interpolation } = mapping
  const step = (to - from) / outputLength
  const filter = filterOf(mapping, step)
  const taps = Math.ceil(filter.reach * 2) + 2
  const first = new Int32Array(outputLength)
  const ends = new Int32Array(outputLength)
  const weights = new Float64Array(outputLength * taps)

  for (let i = 0; i < outputLength; i++) {
    const centre = from + (i + 0.5) * step
    const nearest = clamp(Math.floor(centre), 0, sourceLength - 1)
    const one = interpolation === 'nearest'
    const start = one ? nearest : clamp(Math.floor(centre - filter.reach), 0, sourceLength - 1)
    const end = one ? nearest + 1 : clamp(Math.ceil(centre + filter.reach), start + 1, sourceLength)
    let sum = 0
    for (let k = 0; k < end - start; k++) {
      const weight = one ? 1 : filter.weigh(start + k - centre)
      weights[i * taps + k] = weight
      sum += weight
    }
    const own = weights.subarray(i * taps, i * taps + end - start)
    for (let k = 0; k < own.length; k++) own[k] = (own[k] as number) / sum
    first[i] = start
    ends[i] = end
  }
  return { first, end: ends, taps, weights }
}

interface Filter {
  /** Half of the filter's width, in source samples. */
  readonly reach: number
  /** Weight of the source sample whose left edge is `offset` from the centre. */
  readonly weigh: (offset: number) => number
}

function filterOf({ interpolation, antialias }: AxisMapping, step: number): Filter {
  if (interpolation === 'nearest') return { reach: 0.5, weigh: () => 1 }
  if (interpolation === 'area') {
    const reach = step / 2
    const weigh = (offset: number) =>
      Math.max(0, Math.min(offset + 1, reach) - Math.max(offset, -reach))
    return { reach, weigh }
  }
  const widen = antialias ? Math.max(1, step) : 1
  const [kernel, support] = interpolation === 'bilinear' ? [triangle, 1] : [keysCubic, 2]
  return { reach: support * widen, weigh: (offset) => kernel((offset + 0.5) / widen) }
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x))
}

/** Keys 1981 with a = -0.5, as in Pillow and TF 2. */
function keysCubic(x: number): number {
  const a = -0.5
  const d = Math.abs(x)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
