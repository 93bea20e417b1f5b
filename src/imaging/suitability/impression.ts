// What a picture looks like from afar, in a few numbers: enough to tell a photograph from a radiograph, a blank sheet or a
// negative. Sampled from the pixels, so that it costs the same for every size. What they mean is in image-warnings.ts.
import type { Pixels } from '../pixels.ts'

/** All figures are 0..1 of white. */
export interface Impression {
  /** Shades between the darkest and the lightest hundredth. */
  readonly contrast: number
  /** Mean of (strongest - weakest channel): 0 is grey. */
  readonly colour: number
  /** How far colours differ from place to place (standard deviation of the above); a tint over everything has little. */
  readonly colourVariation: number
  /** Mean of all, of the outermost cells on all four sides, and of the two upper corners. */
  readonly mean: number
  readonly border: number
  readonly upperCorners: number
  /** Share of the border that is nearly white, and nearly black. */
  readonly whiteBorder: number
  readonly blackBorder: number
}

/** Cells on each side of the thumbnail, and samples on each side of a cell. */
const CELLS = 48
const SAMPLES = 4
const CORNER = 6
const NEARLY_WHITE = 0.9
const NEARLY_BLACK = 0.1

export function impressionOf(pixels: Pixels): Impression {
  const { grey, chroma } = thumbnail(pixels)
  const sorted = grey.toSorted()
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number
  const border = grey.filter((_, i) => isBorder(i))
  const corners = grey.filter((_, i) => isUpperCorner(i))
  const colour = mean(chroma)
  return {
    contrast: at(0.99) - at(0.01),
    colour,
    colourVariation: Math.sqrt(mean(chroma.map((value) => (value - colour) ** 2))),
    mean: mean(grey),
    border: mean(border),
    upperCorners: mean(corners),
    whiteBorder: border.filter((value) => value > NEARLY_WHITE).length / border.length,
    blackBorder: border.filter((value) => value < NEARLY_BLACK).length / border.length,
  }
}

/** Means of CELLS x CELLS cells: brightness (of the three channels alike) and chroma. */
function thumbnail(pixels: Pixels): { grey: Float64Array; chroma: Float64Array } {
  const { width, height, channels, data, maxValue } = pixels
  const steps = CELLS * SAMPLES
  const [grey, chroma] = [new Float64Array(CELLS * CELLS), new Float64Array(CELLS * CELLS)]
  const weight = 1 / (SAMPLES * SAMPLES * maxValue)
  for (let row = 0; row < steps; row++) {
    const y = Math.floor(((row + 0.5) * height) / steps)
    for (let column = 0; column < steps; column++) {
      const x = Math.floor(((column + 0.5) * width) / steps)
      const from = (y * width + x) * channels
      const cell = Math.floor(row / SAMPLES) * CELLS + Math.floor(column / SAMPLES)
      const red = data[from] as number
      if (channels === 1) {
        grey[cell] = (grey[cell] as number) + red * weight
        continue
      }
      const green = data[from + 1] as number
      const blue = data[from + 2] as number
      grey[cell] = (grey[cell] as number) + ((red + green + blue) / 3) * weight
      const range = Math.max(red, green, blue) - Math.min(red, green, blue)
      chroma[cell] = (chroma[cell] as number) + range * weight
    }
  }
  return { grey, chroma }
}

function isBorder(cell: number): boolean {
  const [row, column] = [Math.floor(cell / CELLS), cell % CELLS]
  return row === 0 || column === 0 || row === CELLS - 1 || column === CELLS - 1
}

function isUpperCorner(cell: number): boolean {
  const [row, column] = [Math.floor(cell / CELLS), cell % CELLS]
  return row < CORNER && (column < CORNER || column >= CELLS - CORNER)
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
