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

/** One cell value that occurs in the frame. */
interface Level {
  readonly cell: number
  readonly value: number
  readonly padding: boolean
}

export function renderGrey({ cells }: Frame, given: GreyRules): RenderedFrame {
  const levels = levelsOf(cells, given)
  const { low, high } = rangeOf(levels, given)
  const warnings: string[] = []
  let rules = given
  let table = tableOf(levels, { rules, range: { low, high } })
  if (isFlat(levels, table) && (rules.window || rules.voiTable)) {
    rules = { ...rules, window: undefined, voiTable: undefined }
    table = tableOf(levels, { rules, range: { low, high } })
    warnings.push('The window in the DICOM file leaves nothing to see; its full range is shown.')
  }
  const { width, height } = rules.header
  const data = apply(table, cells, rules.maxValue)
  const pixels = { width, height, channels: 1, data, maxValue: rules.maxValue } as const
  return { pixels, steps: stepsOf(rules, { levels, range: { low, high } }), warnings }
}

function levelsOf(cells: Frame['cells'], rules: GreyRules): Level[] {
  const present = new Uint8Array(65536)
  for (let i = 0; i < cells.length; i++) present[cells[i] as number] = 1
  const levels: Level[] = []
  for (let cell = 0; cell < present.length; cell++) {
    if (present[cell] === 0) continue
    const stored = storedValue(rules, cell)
    levels.push({ cell, value: modalityValue(rules, stored), padding: isPadding(rules, stored) })
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

function isFlat(levels: readonly Level[], table: Uint16Array): boolean {
  const shown = levels.filter(({ padding }) => !padding)
  const [first] = shown
  return shown.length > 1 && shown.every(({ cell }) => table[cell] === table[first?.cell ?? 0])
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
