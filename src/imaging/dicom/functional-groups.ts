// Where a frame's attributes lie: at the top, or in the functional groups of enhanced multi-frame images (PS3.3 C.7.6.16).
import { findCode, sequenceItems } from './attributes.ts'
import type { Attributes } from './data-set.ts'

const PER_FRAME = 'x52009230'
const SHARED = 'x52009229'
const PIXEL_VALUE_TRANSFORMATION = 'x00289145'
const FRAME_VOI_LUT = 'x00289132'

/** The item that says how frame `index` becomes modality values; the data set itself in ordinary images. */
export function modalityOf(attributes: Attributes, index: number): Attributes {
  return inGroups(attributes, { index, group: PIXEL_VALUE_TRANSFORMATION })
}

/** The item that holds the window or lookup table of frame `index`. */
export function voiOf(attributes: Attributes, index: number): Attributes {
  return inGroups(attributes, { index, group: FRAME_VOI_LUT })
}

function inGroups(attributes: Attributes, o: { index: number; group: string }): Attributes {
  const own = sequenceItems(attributes, PER_FRAME)[o.index]
  const shared = sequenceItems(attributes, SHARED)[0]
  const items = [own, shared].flatMap((item) => (item ? sequenceItems(item, o.group) : []))
  return items[0] ?? attributes
}

/** PS3.3 C.7.6.3.1.2 and C.11.6: 0 is white. */
export function isInverted(attributes: Attributes, photometric: string): boolean {
  return photometric === 'MONOCHROME1' || findCode(attributes, 'x20500020') === 'INVERSE'
}
