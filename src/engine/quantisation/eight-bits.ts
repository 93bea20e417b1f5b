// The arithmetic of eight bits: real = scale (stored - zero point). Weights are symmetric int8 with a scale for each
// output channel, activations uint8 with one scale and zero point (Jacob et al. 2018; Krishnamoorthi 2018).

/** Smallest and largest value of an activation. */
export interface Range {
  readonly min: number
  readonly max: number
}

export interface ActivationScale {
  readonly scale: number
  /** The stored value of 0, from 0 to 255. */
  readonly zeroPoint: number
}

/** Zero is always exact: padding and what a ReLU cuts off are zeros. */
export function activationScale({ min, max }: Range): ActivationScale {
  const [low, high] = [Math.min(0, min), Math.max(0, max)]
  const scale = Math.fround((high - low) / 255)
  if (!(scale > 0)) return { scale: 1, zeroPoint: 0 }
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-low / scale))) }
}

export interface QuantisedWeights {
  readonly data: Int8Array
  /** One for each channel. */
  readonly scales: Float32Array
}

export interface WeightLayout {
  readonly dims: readonly number[]
  /** The axis of `dims` whose places are the output channels. */
  readonly axis: number
  /** No scale is smaller than this; one value for each channel. Zeros when absent. */
  readonly leastScales?: Float32Array
}

/** Stored values from -127 to 127, so that zero is in the middle and a weight and its opposite are alike. */
export function quantiseWeights(
  weights: Float32Array,
  { dims, axis, leastScales }: WeightLayout,
): QuantisedWeights {
  const channels = dims[axis] ?? 1
  const inner = dims.slice(axis + 1).reduce((size, dim) => size * dim, 1)
  const channelOf = (at: number): number => Math.floor(at / inner) % channels
  const scales = new Float32Array(channels)
  weights.forEach((weight, at) => {
    const channel = channelOf(at)
    scales[channel] = Math.max(scales[channel] ?? 0, Math.abs(weight) / 127)
  })
  scales.forEach((scale, channel) => {
    const wanted = Math.max(scale, leastScales?.[channel] ?? 0)
    scales[channel] = wanted > 0 ? wanted : 1
  })
  const data = Int8Array.from(weights, (weight, at) => {
    const stored = Math.round(weight / (scales[channelOf(at)] ?? 1))
    return Math.min(127, Math.max(-127, stored))
  })
  return { data, scales }
}

/** Sums of products are 32-bit integers; a bias far larger than all of them together would not fit. */
const LARGEST_BIAS = 2 ** 30

/** What a channel's weight scale must be at least for its bias to fit. */
export function leastScalesFor(bias: Float32Array, inputScale: number): Float32Array {
  return bias.map((value) => Math.abs(value) / (inputScale * LARGEST_BIAS))
}

/** A bias in the units of the sum of products: input scale times weight scale of its channel. */
export function quantiseBias(
  bias: Float32Array,
  { inputScale, scales }: { readonly inputScale: number; readonly scales: Float32Array },
): Int32Array {
  return Int32Array.from(bias, (value, at) =>
    Math.round(value / Math.fround(inputScale * (scales[at] ?? 1))),
  )
}
