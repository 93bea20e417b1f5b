// An explanation's grid as a transparent picture of the image's size, on an absolute scale: weak evidence stays pale.
import { encodeIndexedPng } from './indexed-png.ts'
import { placement } from './placement.ts'
import type { Preprocessing } from './preprocessing.ts'

export interface HeatmapRequest {
  /** [gridHeight, gridWidth]; the evidence over the model's input. */
  readonly grid: Float32Array
  readonly gridWidth: number
  readonly gridHeight: number
  /** The value that is drawn in full colour; the map is never stretched to its own maximum. */
  readonly scale: number
  /** The image's size after orientation. */
  readonly width: number
  readonly height: number
  /** How the image was laid into the model's input; stretched when absent. */
  readonly rule?: Pick<Preprocessing, 'width' | 'height' | 'aspect'>
}

/** Opacity at full evidence, of 255: the picture beneath stays visible. */
const MAX_ALPHA = 210

/**
 * A PNG of exactly width x height. Each pixel's evidence is interpolated bilinearly from the grid, whose cells' centres
 * are spread over the model's input; what the model did not see (cropped off) is transparent.
 */
export function heatmapPng(request: HeatmapRequest): Uint8Array {
  const { width, height } = request
  return encodeIndexedPng({ width, height, indices: levels(request), palette: PALETTE })
}

/** [height, width], 0 (nothing) to 255 (`scale` or more). */
export function levels(request: HeatmapRequest): Uint8Array {
  const { grid, gridWidth, gridHeight, width, height } = request
  const rule = request.rule ?? { width: gridWidth, height: gridHeight, aspect: 'stretch' as const }
  const { source, target } = placement({ width, height }, rule)
  const columns = gridPositions(width, {
    from: source.x,
    length: source.width,
    to: target.x,
    size: target.width,
    cell: rule.width / gridWidth,
    cells: gridWidth,
  })
  const rows = gridPositions(height, {
    from: source.y,
    length: source.height,
    to: target.y,
    size: target.height,
    cell: rule.height / gridHeight,
    cells: gridHeight,
  })
  const output = new Uint8Array(width * height)
  // One grid row, already interpolated between its two neighbours and brought to 0..255 levels.
  const mixed = new Float32Array(gridWidth + 1)
  const factor = 255 / request.scale
  for (let y = 0; y < height; y++) {
    if (rows.inside[y] === 0) continue
    const row = rows.low[y] as number
    const top = row * gridWidth
    const bottom = Math.min(row + 1, gridHeight - 1) * gridWidth
    const share = rows.share[y] as number
    for (let x = 0; x < gridWidth; x++) {
      const above = grid[top + x] as number
      const below = grid[bottom + x] as number
      mixed[x] = (above + (below - above) * share) * factor
    }
    mixed[gridWidth] = mixed[gridWidth - 1] as number
    for (let x = 0, at = y * width; x < width; x++, at++) {
      if (columns.inside[x] === 0) continue
      const low = columns.low[x] as number
      const left = mixed[low] as number
      const right = mixed[low + 1] as number
      const value = left + (right - left) * (columns.share[x] as number)
      output[at] = value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5
    }
  }
  return output
}

interface AxisPlacement {
  /** Stretch of the image, in its pixels. */
  readonly from: number
  readonly length: number
  /** Stretch of the input that it fills, in input pixels. */
  readonly to: number
  readonly size: number
  /** Input pixels of one grid cell, and how many cells there are. */
  readonly cell: number
  readonly cells: number
}

/** For each image pixel: the lower grid cell, the upper one's share, and whether the model saw that pixel. */
function gridPositions(pixels: number, axis: AxisPlacement) {
  const low = new Int32Array(pixels)
  const share = new Float32Array(pixels)
  const inside = new Uint8Array(pixels)
  for (let i = 0; i < pixels; i++) {
    const along = (i + 0.5 - axis.from) / axis.length
    if (along < 0 || along > 1) continue
    inside[i] = 1
    const position = (axis.to + along * axis.size) / axis.cell - 0.5
    const clamped = Math.min(Math.max(position, 0), axis.cells - 1)
    low[i] = Math.floor(clamped)
    share[i] = clamped - Math.floor(clamped)
  }
  return { low, share, inside }
}

/**
 * 256 colours that grow steadily lighter, as perceptual maps do: dark violet, magenta, orange, pale yellow. Alpha rises with
 * the evidence from fully transparent, a little faster than in proportion so that faint evidence can be seen.
 */
const PALETTE = buildPalette()

/** Evidence 0..1, then red, green, blue. */
type Stop = readonly [number, number, number, number]

function buildPalette(): Uint8Array {
  const stops: readonly Stop[] = [
    [0, 40, 11, 84],
    [0.25, 101, 21, 110],
    [0.5, 187, 55, 84],
    [0.75, 249, 142, 9],
    [1, 252, 255, 164],
  ]
  const palette = new Uint8Array(256 * 4)
  for (let i = 0; i < 256; i++) {
    const v = i / 255
    const upper = Math.max(
      1,
      stops.findIndex(([at]) => v <= at),
    )
    const from = stops[upper - 1] as Stop
    const to = stops[upper] as Stop
    const share = (v - from[0]) / (to[0] - from[0])
    for (const channel of [1, 2, 3] as const) {
      const colour = from[channel] + (to[channel] - from[channel]) * share
      palette[i * 4 + channel - 1] = Math.round(colour)
    }
    palette[i * 4 + 3] = Math.round(MAX_ALPHA * v ** 0.8)
  }
  return palette
}
