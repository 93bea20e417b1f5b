// From a stored cell to the grey that a person sees, as one table over all cells: modality, then window or VOI table, then
// inversion (PS3.3 C.11.1, C.11.2; PS3.4 N.2). Applying a table costs the same whatever the file asks for.

import { decimals, findCode, hasDecimalComma, sequenceItems } from './attributes.ts'
import type { Attributes } from './data-set.ts'
import { isInverted, modalityOf, voiOf } from './functional-groups.ts'
import type { ImageHeader } from './image-header.ts'
import { findLookupTable, type LookupTable, lookUp } from './lookup-table.ts'
import { findWindow, type Window, windowed } from './window.ts'

export interface GreyRules {
  readonly header: ImageHeader
  /** How far the stored bits lie above bit 0 of a cell. */
  readonly shift: number
  readonly slope: number
  readonly intercept: number
  readonly modalityTable: LookupTable | undefined
  readonly voiTable: LookupTable | undefined
  readonly window: Window | undefined
  readonly inverted: boolean
  /** 65535 where any step has more than 8 bits. */
  readonly maxValue: 255 | 65535
  /** Where the file was read otherwise than it says. */
  readonly warnings: readonly string[]
}

export interface RulesOptions {
  readonly header: ImageHeader
  /** Frame, counted from 0. */
  readonly index: number
  /** Compressed samples are right-aligned already. */
  readonly aligned: boolean
}

export function readGreyRules(attributes: Attributes, options: RulesOptions): GreyRules {
  const { header, index } = options
  const modality = modalityOf(attributes, index)
  const [modalityItem] = sequenceItems(modality, 'x00283000')
  const lut = { descriptor: 'x00283002', data: 'x00283006' }
  const modalityTable =
    modalityItem && findLookupTable(modalityItem, { ...lut, signed: header.signed })
  const slope = decimals(modality, 'x00281053')[0] ?? 1
  const intercept = decimals(modality, 'x00281052')[0] ?? 0
  const voi = voiOf(attributes, index)
  const [voiItem] = sequenceItems(voi, 'x00283010')
  const canBeNegative = !modalityTable && (header.signed || intercept < 0)
  const given = voiItem && findLookupTable(voiItem, { ...lut, signed: canBeNegative })
  const voiTable = given && { ...given, bits: bitsInUse(given) }
  const commas = [
    [modality, 'x00281052'],
    [modality, 'x00281053'],
    [voi, 'x00281050'],
    [voi, 'x00281051'],
  ].some(([item, tag]) => hasDecimalComma(item as Attributes, tag as string))
  const deep = header.bitsStored > 8 || (modalityTable?.bits ?? 0) > 8
  return {
    header,
    shift: options.aligned ? 0 : header.highBit + 1 - header.bitsStored,
    slope: slope === 0 || modalityTable ? 1 : slope,
    intercept: modalityTable ? 0 : intercept,
    modalityTable,
    voiTable,
    window: voiTable ? undefined : findWindow(voi, findCode(voi, 'x00281056')),
    inverted: isInverted(attributes, header.photometric),
    maxValue: deep ? 65535 : 255,
    warnings: [
      ...(given && voiTable && given.bits !== voiTable.bits ? [otherBits(given, voiTable)] : []),
      ...(commas ? [DECIMAL_COMMAS] : []),
    ],
  }
}

const DECIMAL_COMMAS =
  'Numbers in the DICOM header have a decimal comma instead of a point; they were read as decimals.'

/**
 * Equipment (Agfa's among it) writes tables whose entries use fewer or more bits than the descriptor says: shown as it
 * says, the picture would be almost black or white.
 */
function bitsInUse({ entries, bits }: LookupTable): number {
  let most = 0
  for (const entry of entries) most = Math.max(most, entry)
  return most === 0 ? bits : Math.ceil(Math.log2(most + 1))
}

function otherBits(said: LookupTable, used: LookupTable): string {
  return `The VOI lookup table says ${said.bits} bits and uses ${used.bits}; its real range is shown.`
}

/** The value of a cell as the file means it: its stored bits, with their sign. */
export function storedValue({ header, shift }: GreyRules, cell: number): number {
  const { bitsStored, signed } = header
  const value = (cell >> shift) & (2 ** bitsStored - 1)
  return signed && value >= 2 ** (bitsStored - 1) ? value - 2 ** bitsStored : value
}

export function modalityValue(rules: GreyRules, stored: number): number {
  const { modalityTable, slope, intercept } = rules
  return modalityTable ? lookUp(modalityTable, stored) : stored * slope + intercept
}

export function isPadding({ header }: GreyRules, stored: number): boolean {
  const { padding } = header
  return padding !== undefined && stored >= padding.low && stored <= padding.high
}

/** Extremes of modality values. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** Grey 0..maxValue of a modality value; `range` is shown whole where no window or table is given. */
export function grey(rules: GreyRules, { value, range }: { value: number; range: Range }): number {
  const { voiTable, window, inverted, maxValue } = rules
  const white = maxValue
  let share: number
  if (voiTable) share = lookUp(voiTable, value) / (2 ** voiTable.bits - 1)
  else if (window) share = windowed(window, value)
  else share = range.high === range.low ? 0 : (value - range.low) / (range.high - range.low)
  const shown = Math.min(Math.max(share, 0), 1)
  return Math.round((inverted ? 1 - shown : shown) * white)
}
