// A monochrome frame as pixels, 8 or 16 bits, and the steps that led there.
import type { Pixels } from '../pixels.ts'
import type { Frame } from './frame.ts'
import {
  type GreyRules,
  grey,
  isPadding,
  modalityValue,
  type Range,
  storedValue,
} from './grey-values.ts'

export interface RenderedFrame {
  readonly pixels: Pixels
  readonly steps: readonly string[]
  readonly warnings: readonly string[]
}

/** Of the pixels in one shade, from which on a picture shows nothing. */
const ONE_SHADE = 0.99
/** A picture that is this uneven without its window is no flat one. */
const SEVERAL_SHADES = 0.9
/** Shades that an eye tells apart. */
const SHADES = 64

/** One cell value that occurs in the frame. */
interface Level {
  readonly cell: number
  readonly value: number
  readonly padding: boolean
  readonly pixels: number
}

export function renderGrey({ cells }: Frame, given: GreyRules): RenderedFrame {
  const levels = levelsOf(cells, given)
  const { low, high } = rangeOf(levels, given)
  const warnings = [...given.warnings]
  let rules = given
  let table = tableOf(levels, { rules, range: { low, high } })
  let refused: string | undefined
  if (rules.window || rules.voiTable) {
    const whole = { ...rules, window: undefined, voiTable: undefined }
    const wholeTable = tableOf(levels, { rules: whole, range: { low, high } })
    const share = largestShade(levels, { table, maxValue: rules.maxValue })
    if (
      share.of >= ONE_SHADE &&
      largestShade(levels, { table: wholeTable, maxValue: rules.maxValue }).of <= SEVERAL_SHADES
    ) {
      const what = rules.voiTable ? 'VOI lookup table' : 'window'
      refused = `the ${what} of the file is not used: it shows ${share.words}`
      rules = whole
      table = wholeTable
      warnings.push(
        `The ${what} in the DICOM file shows ${share.words}; the full range is shown instead.`,
      )
    }
  }
  const { width, height } = rules.header
  const data = apply(table, cells, rules.maxValue)
  const pixels = { width, height, channels: 1, data, maxValue: rules.maxValue } as const
  const steps = stepsOf(rules, { levels, range: { low, high } })
  return { pixels, steps: refused ? [refused, ...steps] : steps, warnings }
}

function levelsOf(cells: Frame['cells'], rules: GreyRules): Level[] {
  const counts = new Uint32Array(65536)
  for (let i = 0; i < cells.length; i++)
    counts[cells[i] as number] = (counts[cells[i] as number] ?? 0) + 1
  const levels: Level[] = []
  for (let cell = 0; cell < counts.length; cell++) {
    const pixels = counts[cell] as number
    if (pixels === 0) continue
    const stored = storedValue(rules, cell)
    const padding = isPadding(rules, stored)
    levels.push({ cell, value: modalityValue(rules, stored), padding, pixels })
  }
  return levels
}

/**
 * What is shown from black to white without a window: all that 8 bits can hold, as a PNG of the same bytes would be; of
 * deeper images, which seldom use their range, what the picture holds.
 */
function rangeOf(levels: readonly Level[], rules: GreyRules): Range {
  const { bitsStored, signed } = rules.header
  const lowest = signed ? -(2 ** (bitsStored - 1)) : 0
  const ends =
    rules.maxValue === 255
      ? [lowest, lowest + 2 ** bitsStored - 1].map((stored) => modalityValue(rules, stored))
      : levels.filter(({ padding }) => !padding).map(({ value }) => value)
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of ends) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return { low, high }
}

/** Padding is shown black whichever way the image is coded: it is not part of the picture. */
function tableOf(
  levels: readonly Level[],
  { rules, range }: { rules: GreyRules; range: Range },
): Uint16Array {
  const table = new Uint16Array(65536)
  for (const { cell, value, padding } of levels) {
    table[cell] = padding ? 0 : grey(rules, { value, range })
  }
  return table
}

/** The share of the pixels, padding aside, that the commonest of 64 shades has. */
function largestShade(
  levels: readonly Level[],
  { table, maxValue }: { readonly table: Uint16Array; readonly maxValue: number },
): { readonly of: number; readonly words: string } {
  const shades = new Float64Array(SHADES)
  let total = 0
  for (const { cell, padding, pixels } of levels) {
    if (padding) continue
    const shade = Math.min(Math.floor(((table[cell] as number) / maxValue) * SHADES), SHADES - 1)
    shades[shade] = (shades[shade] as number) + pixels
    total += pixels
  }
  // Two neighbours count as one: a shade may lie on the line between them.
  const pairs = shades.map((one, i) => one + (shades[i + 1] ?? 0))
  const most = Math.max(...pairs)
  const at = pairs.indexOf(most)
  const words =
    at === 0 ? 'almost only black' : at >= SHADES - 2 ? 'almost only white' : 'almost one shade'
  return { of: total === 0 ? 0 : most / total, words }
}

function apply(table: Uint16Array, cells: Frame['cells'], maxValue: number): Pixels['data'] {
  const data = maxValue === 255 ? new Uint8Array(cells.length) : new Uint16Array(cells.length)
  for (let i = 0; i < cells.length; i++) data[i] = table[cells[i] as number] as number
  return data
}

function stepsOf(
  rules: GreyRules,
  { levels, range }: { levels: readonly Level[]; range: Range },
): string[] {
  const { modalityTable, voiTable, window, slope, intercept } = rules
  const number = (value: number) => String(Number(value.toPrecision(6)))
  const steps: string[] = []
  if (modalityTable) steps.push(`modality lookup table of ${modalityTable.entries.length} entries`)
  else if (slope !== 1 || intercept !== 0) {
    steps.push(`rescaled: × ${number(slope)} + ${number(intercept)}`)
  }
  if (voiTable) steps.push(`VOI lookup table of ${voiTable.entries.length} entries`)
  else if (window) {
    steps.push(`window ${number(window.centre)} / ${number(window.width)} (${window.shape})`)
  } else steps.push(`no window: ${number(range.low)} shown black, ${number(range.high)} white`)
  if (levels.some(({ padding }) => padding)) steps.push('padding set to black')
  if (rules.inverted) steps.push('inverted, because 0 is stored for white')
  return steps
}
