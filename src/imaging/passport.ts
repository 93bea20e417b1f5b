// The pixel passport: what was done to an upload's pixels, in order, and the few tags that matter and name nobody.
import type { Preprocessing } from './preprocessing.ts'

export interface Passport {
  /** Short sentences without values that could identify a person, first step first. */
  readonly steps: readonly string[]
  /** From an allow-list of attributes and of their values (dicom/passport-tags.ts); empty for other formats. */
  readonly tags: readonly PassportTag[]
}

export interface PassportTag {
  readonly name: string
  readonly value: string
}

const ASPECTS: Readonly<Record<Preprocessing['aspect'], string>> = {
  stretch: 'stretched',
  crop: 'its middle cut out',
  pad: 'padded with black',
}

/** What preprocess.ts does, as steps that follow those of the decoder. */
export function preprocessingSteps(p: Preprocessing): string[] {
  const smooth = p.antialias && p.interpolation !== 'nearest' ? ', antialiased' : ''
  const numbers = (values: readonly number[]) =>
    values.map((one) => Number(one.toPrecision(4))).join(', ')
  return [
    `resized to ${p.width} × ${p.height}, ${ASPECTS[p.aspect]} (${p.interpolation}${smooth})`,
    p.channels === 1 ? 'made grey' : `three channels (${p.order.toUpperCase()})`,
    `scaled by ${Number(p.scale.toPrecision(4))}, mean ${numbers(p.mean)}, standard deviation ${numbers(p.std)}`,
  ]
}
