// The answer to a STOW-RS request (PS3.18 10.5.3) as DICOM JSON: what was taken, what was not and why.
import type { StudyIdentity } from '../../../imaging/dicom/study-identity.ts'

type Image = StudyIdentity['image']

/** Cannot understand (PS3.4 B.2.3). */
const CANNOT_UNDERSTAND = 0xc000
const OUT_OF_RESOURCES = 0xa700

export interface StoreOutcome {
  /** Undefined when it could not be read so far. */
  readonly image: Image | undefined
  readonly refusal?: 'not-understood' | 'out-of-resources'
}

export function storeAnswer(outcomes: readonly StoreOutcome[]): {
  readonly status: 200 | 202 | 409
  readonly body: object
} {
  const taken = outcomes.filter(({ refusal }) => refusal === undefined)
  const refused = outcomes.filter(({ refusal }) => refusal !== undefined)
  const named = refused.filter(({ image }) => image)
  const unnamed = refused.filter(({ image }) => !image)
  const sequence = (tag: string, items: readonly object[]) =>
    items.length > 0 ? { [tag]: { vr: 'SQ', Value: items } } : {}
  const status = refused.length === 0 ? 200 : taken.length > 0 ? 202 : 409
  return {
    status,
    body: {
      ...sequence('00081199', taken.map(referenceOf)),
      ...sequence(
        '00081198',
        named.map((one) => ({ ...referenceOf(one), ...reasonOf(one) })),
      ),
      ...sequence('0008119A', unnamed.map(reasonOf)),
    },
  }
}

function referenceOf({ image }: StoreOutcome): object {
  return {
    '00081150': { vr: 'UI', Value: [image?.sopClassUid] },
    '00081155': { vr: 'UI', Value: [image?.sopInstanceUid] },
  }
}

function reasonOf({ refusal }: StoreOutcome): object {
  const code = refusal === 'out-of-resources' ? OUT_OF_RESOURCES : CANNOT_UNDERSTAND
  return { '00081197': { vr: 'US', Value: [code] } }
}
