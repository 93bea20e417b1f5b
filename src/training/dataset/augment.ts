// A training image, changed a little: one affine step (flip, rotation, scale, shift; bilinear, edges repeated) and one of
// brightness and contrast. A pure function of (seed, epoch, index): the same epoch of a resumed run sees the same pixels.
import { uniforms } from '../../engine/random/counter-random.ts'
import { PURPOSE } from '../../engine/random/draw-purposes.ts'
import type { Augmentation } from '../hyperparameters.ts'

export interface ImageShape {
  readonly height: number
  readonly width: number
  readonly channels: number
}

export interface Draw {
  readonly seed: number
  readonly epoch: number
  /** Row of the image, not its place in the batch. */
  readonly index: number
}

/** The inverse map from output to input pixels, about the centre, and the change of values: v * gain + offset * range. */
export interface Change {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  readonly dx: number
  readonly dy: number
  readonly gain: number
  readonly offset: number
}

export function drawChange(options: Augmentation, { seed, epoch, index }: Draw): Change {
  const draws = uniforms(8, seed, PURPOSE.augment, epoch, index)
  const signed = (at: number): number => 2 * (draws[at] ?? 0.5) - 1
  const angle = (signed(0) * options.rotationDegrees * Math.PI) / 180
  const zoom = 1 + signed(1) * options.scale
  const mirrorX = options.flipHorizontal && (draws[2] ?? 0) < 0.5 ? -1 : 1
  const mirrorY = options.flipVertical && (draws[3] ?? 0) < 0.5 ? -1 : 1
  return {
    a: (mirrorX * Math.cos(angle)) / zoom,
    b: (mirrorX * Math.sin(angle)) / zoom,
    c: (-mirrorY * Math.sin(angle)) / zoom,
    d: (mirrorY * Math.cos(angle)) / zoom,
    dx: signed(4) * options.shift,
    dy: signed(5) * options.shift,
    gain: 1 + signed(6) * options.contrast,
    offset: signed(7) * options.brightness,
  }
}

/** Writes the changed image to `target`; both hold height * width * channels values, interleaved. */
export function applyChange(
  source: Float32Array,
  o: { readonly target: Float32Array; readonly shape: ImageShape; readonly change: Change },
): void {
  const { height, width, channels } = o.shape
  const { a, b, c, d, dx, dy, gain } = o.change
  const { least, most, mean } = valueRange(source)
  const shiftValue = mean - mean * gain + o.change.offset * (most - least)
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2]
  let at = 0
  for (let y = 0; y < height; y++) {
    const v = y - centreY
    for (let x = 0; x < width; x++) {
      const u = x - centreX
      const sx = clamp(a * u + b * v + centreX - dx * width, width - 1)
      const sy = clamp(c * u + d * v + centreY - dy * height, height - 1)
      const [x0, y0] = [Math.floor(sx), Math.floor(sy)]
      const [fx, fy] = [sx - x0, sy - y0]
      const left = (y0 * width + x0) * channels
      const right = x0 + 1 < width ? channels : 0
      const below = y0 + 1 < height ? width * channels : 0
      for (let channel = 0; channel < channels; channel++) {
        const p = left + channel
        const top = (source[p] as number) * (1 - fx) + (source[p + right] as number) * fx
        const q = p + below
        const bottom = (source[q] as number) * (1 - fx) + (source[q + right] as number) * fx
        o.target[at++] = (top * (1 - fy) + bottom * fy) * gain + shiftValue
      }
    }
  }
}

function clamp(value: number, most: number): number {
  return value < 0 ? 0 : value > most ? most : value
}

function valueRange(values: Float32Array): { least: number; most: number; mean: number } {
  let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
    sum += value
  }
  return { least, most, mean: sum / values.length }
}
