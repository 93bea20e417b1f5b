// The arithmetic of a Preprocessing: from decoded pixels to a model's input. Training and serving call this one function.
// Plain JavaScript on purpose: the same numbers on every machine, whatever version of a native library is installed.
import type { Pixels } from './pixels.ts'
import { placement } from './placement.ts'
import type { Preprocessing } from './preprocessing.ts'
import { type AxisWeights, axisWeights } from './resample.ts'

/**
 * [height, width, channels] float32, row-major. Deterministic: same pixels and configuration, same bits.
 * Values are not rounded to whole grey levels after resizing.
 */
export function preprocess(pixels: Pixels, p: Preprocessing): Float32Array {
  const { source, target } = placement(pixels, p)
  const { interpolation, antialias } = p
  const columns = axisWeights({
    sourceLength: pixels.width,
    outputLength: target.width,
    from: source.x,
    to: source.x + source.width,
    interpolation,
    antialias,
  })
  const rows = axisWeights({
    sourceLength: pixels.height,
    outputLength: target.height,
    from: source.y,
    to: source.y + source.height,
    interpolation,
    antialias,
  })
  const planes = resize(pixels, { columns, rows, channels: p.channels })

  const output = new Float32Array(p.height * p.width * p.channels)
  const plane = target.width * target.height
  for (let channel = 0; channel < p.channels; channel++) {
    const from = p.order === 'bgr' ? p.channels - 1 - channel : channel
    const mean = perChannel(p.mean, channel)
    const std = perChannel(p.std, channel)
    for (let at = channel; at < output.length; at += p.channels) output[at] = (0 - mean) / std
    for (let y = 0; y < target.height; y++) {
      let at = ((target.y + y) * p.width + target.x) * p.channels + channel
      let read = from * plane + y * target.width
      for (let x = 0; x < target.width; x++, read++, at += p.channels) {
        output[at] = ((planes[read] as number) * p.scale - mean) / std
      }
    }
  }
  return output
}

function perChannel(values: readonly number[], channel: number): number {
  return (values.length === 1 ? values[0] : values[channel]) as number
}

interface Resize {
  readonly columns: AxisWeights
  readonly rows: AxisWeights
  readonly channels: 1 | 3
}

/**
 * Source rows are read once, from top to bottom: each is brought to 0..255 and to the wanted channels, resized
 * horizontally, and added to the output rows that it counts for. So nothing of the source's size is allocated.
 * Returns [channels, height, width].
 */
function resize(pixels: Pixels, { columns, rows, channels }: Resize): Float32Array {
  const width = columns.first.length
  const height = rows.first.length
  const output = new Float32Array(channels * height * width)
  // Grey is resized once and repeated afterwards.
  const distinct = pixels.channels === 1 ? 1 : channels
  // Bytes in the wanted channels are in 0..255 already; the same sums without a copy of each row.
  const asStored = pixels.maxValue === 255 && pixels.channels === distinct
  const line = new Float32Array(asStored ? 0 : distinct * pixels.width)
  const narrow = new Float32Array(distinct * width)
  const span = distinct * pixels.width

  // The output rows that use source row y are one stretch, from..to, which only moves down.
  let from = 0
  let to = 0
  for (let y = 0; y < pixels.height; y++) {
    while (from < height && (rows.end[from] as number) <= y) from++
    while (to < height && (rows.first[to] as number) <= y) to++
    if (from >= to) continue
    if (!asStored) readLine(pixels, { y, into: line, channels: distinct })
    const source = asStored ? pixels.data.subarray(y * span, (y + 1) * span) : line
    if (distinct === 1) resampleLine(source, columns, narrow)
    else resampleColourLine(source, columns, narrow)
    for (let channel = 0; channel < distinct; channel++) {
      const values = narrow.subarray(channel * width, (channel + 1) * width)
      for (let row = from; row < to; row++) {
        const weight = rows.weights[row * rows.taps + y - (rows.first[row] as number)] as number
        const target = output.subarray((channel * height + row) * width)
        if (weight !== 0) addScaled(target, values, weight)
      }
    }
  }
  for (let channel = distinct; channel < channels; channel++) {
    output.copyWithin(channel * height * width, 0, height * width)
  }
  return output
}

function resampleLine(
  source: Float32Array | Pixels['data'],
  { first, end, taps, weights }: AxisWeights,
  into: Float32Array,
): void {
  for (let i = 0; i < into.length; i++) {
    const stop = end[i] as number
    let sum = 0
    for (let at = first[i] as number, w = i * taps; at < stop; at++, w++) {
      sum += (weights[w] as number) * (source[at] as number)
    }
    into[i] = sum
  }
}

/** From interleaved pixels to three planes: one weight for three samples. */
function resampleColourLine(
  source: Float32Array | Pixels['data'],
  { first, end, taps, weights }: AxisWeights,
  into: Float32Array,
): void {
  const width = into.length / 3
  for (let i = 0; i < width; i++) {
    const stop = (end[i] as number) * 3
    let [red, green, blue] = [0, 0, 0]
    for (let at = (first[i] as number) * 3, w = i * taps; at < stop; at += 3, w++) {
      const weight = weights[w] as number
      red += weight * (source[at] as number)
      green += weight * (source[at + 1] as number)
      blue += weight * (source[at + 2] as number)
    }
    into[i] = red
    into[width + i] = green
    into[2 * width + i] = blue
  }
}

function addScaled(target: Float32Array, values: Float32Array, weight: number): void {
  for (let i = 0; i < values.length; i++) {
    target[i] = (target[i] as number) + weight * (values[i] as number)
  }
}

interface Line {
  readonly y: number
  /** [width, channels] */
  readonly into: Float32Array
  readonly channels: 1 | 3
}

/** One row in 0..255, pixel by pixel. RGB to grey is ITU-R BT.601 luma, as in Pillow's "L". */
function readLine({ data, width, channels: stored, maxValue }: Pixels, line: Line): void {
  const { y, into, channels } = line
  const unit = 255 / maxValue
  let at = y * width * stored
  if (stored === channels) {
    for (let i = 0; i < into.length; i++, at++) into[i] = (data[at] as number) * unit
    return
  }
  for (let x = 0; x < width; x++, at += 3) {
    const red = (data[at] as number) * unit
    const green = (data[at + 1] as number) * unit
    const blue = (data[at + 2] as number) * unit
    into[x] = 0.299 * red + 0.587 * green + 0.114 * blue
  }
}
