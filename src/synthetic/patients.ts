// Which images of a class belong to the same synthetic patient: some have several, so that splitting by patient matters.

/** Ways in which four images in a row are shared out: 1 to 4 images a patient, 2.9 patients for 4 images on average. */
import { createRandom } from './drawing/random.ts'

const SHARES = [
  [0, 1, 2, 3],
  [0, 0, 1, 2],
  [0, 1, 2, 2],
  [0, 0, 1, 1],
  [0, 0, 0, 1],
  [0, 1, 2, 3],
  [0, 0, 0, 0],
] as const

/** Number of the patient of image `index` of a class, from (seed, index) alone. */
export function patientNumber(
  seed: number,
  place: { readonly group: string; readonly index: number },
): number {
  const block = Math.floor(place.index / 4)
  const share = createRandom(seed, 'patients', place.group, block).pick(SHARES)
  return block * 4 + (share[place.index % 4] as number)
}
