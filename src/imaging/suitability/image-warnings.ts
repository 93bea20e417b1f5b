// Whether this is the right image for the condition: its tags and its looks against what is expected. Warnings, never a
// refusal (docs/decisions/0041-right-image.md, which also has the counts that the thresholds come from).
import type { PassportTag } from '../passport.ts'
import { placement } from '../placement.ts'
import type { Preprocessing } from '../preprocessing.ts'
import type { Impression } from './impression.ts'
import type { Subject } from './subject.ts'

export interface SeenImage {
  /** After orientation. */
  readonly width: number
  readonly height: number
  readonly impression: Impression
  readonly tags: readonly PassportTag[]
}

const NO_CONTRAST = 0.05
/** Mean chroma: radiographs with coloured marks reach 0.042, the palest of 390 skin photographs has 0.058. */
const COLOURED = 0.05
/** Longer side to shorter one; cut-outs of one bone reach 3.9. */
const STRIP = 4
/** Share of the image that the model must see at least. */
const SEEN = 0.6

const RADIOGRAPHY = new Set('CR DX DR RF XA PX IO RG MG BMD RTIMAGE'.split(' '))
const PHOTOGRAPHY = new Set('XC GM DMS ES SM OP'.split(' '))
/** Pictures of pictures: the file does not tell what they were. */
const UNSAID = new Set('OT SC DG'.split(' '))
const MODALITY_NAMES: Readonly<Record<string, string>> = {
  CT: 'a CT slice',
  MR: 'an MR slice',
  US: 'an ultrasound picture',
  NM: 'a nuclear medicine picture',
  PT: 'a PET slice',
  MG: 'a mammogram',
  XC: 'a photograph',
}

/** Sentences for the reader, the most serious first; none when nothing speaks against the image. */
export function imageWarnings(
  image: SeenImage,
  { subject, preprocessing }: { readonly subject: Subject; readonly preprocessing: Preprocessing },
): string[] {
  const blank = image.impression.contrast < NO_CONTRAST
  return [
    ...modalityWarnings(image, subject),
    ...bodyPartWarnings(image, subject),
    ...(blank ? ['The image is almost uniform; there is nothing to analyse.'] : []),
    ...(blank ? [] : colourWarnings(image, subject)),
    ...(blank ? [] : negativeWarnings(image, subject)),
    ...sizeWarnings(image, preprocessing),
  ]
}

function findTag({ tags }: SeenImage, name: string): string | undefined {
  return tags.find((one) => one.name === name)?.value
}

function modalityWarnings(image: SeenImage, { kind, name }: Subject): string[] {
  const modality = findTag(image, 'Modality')
  if (modality === undefined || kind === 'unknown' || UNSAID.has(modality)) return []
  if ((kind === 'radiograph' ? RADIOGRAPHY : PHOTOGRAPHY).has(modality)) return []
  const radiograph = RADIOGRAPHY.has(modality) ? 'an X-ray' : `an image of modality ${modality}`
  // A file says what it likes, also "constructor".
  const known = Object.hasOwn(MODALITY_NAMES, modality) ? MODALITY_NAMES[modality] : undefined
  const what = known ?? radiograph
  const wanted = kind === 'radiograph' ? 'X-rays' : 'photographs'
  return [
    `The file is tagged as ${what}, but ${name} expects ${wanted}: do not rely on this result.`,
  ]
}

function bodyPartWarnings(image: SeenImage, { region, name, bodyPart }: Subject): string[] {
  const term = findTag(image, 'Body part')
  if (term === undefined || !region || region.terms.has(term)) return []
  if (term === 'BODY' || term === 'WHOLEBODY') return []
  return [
    `The file is tagged with body part ${term}, but ${name} expects images of the body part "${bodyPart}": do not rely on this result.`,
  ]
}

function colourWarnings({ impression }: SeenImage, { kind, name }: Subject): string[] {
  const isColoured = impression.colour > COLOURED
  if (kind === 'radiograph' && isColoured) {
    return [
      `This looks like a colour photo, not an X-ray; ${name} expects X-rays. The result is probably meaningless.`,
    ]
  }
  if (kind === 'photograph' && !isColoured) {
    return [`The image has almost no colour; ${name} expects colour photographs.`]
  }
  return []
}

/** What lies beside the body is black on a grey radiograph; on its negative it is the lightest part of the film. */
function negativeWarnings({ impression }: SeenImage, { region }: Subject): string[] {
  const { border, mean, upperCorners, whiteBorder, blackBorder } = impression
  const isNegative = {
    // Beside the neck; the other borders of a chest film show the body.
    chest: upperCorners > 0.5 && upperCorners - mean > 0.1,
    limb: border > 0.5,
    trunk: border > 0.5 && whiteBorder - blackBorder > 0.3,
  }
  if (!region || impression.colour > COLOURED || !isNegative[region.layout]) return []
  return ['The background is bright: the image may be inverted, which the model does not expect.']
}

function sizeWarnings(image: SeenImage, rule: Preprocessing): string[] {
  const { width, height } = image
  const warnings: string[] = []
  if (width < rule.width / 2 || height < rule.height / 2) {
    warnings.push(
      `The image has only ${width} × ${height} pixels; the model uses ${rule.width} × ${rule.height}, so detail is missing.`,
    )
  }
  if (Math.max(width, height) > STRIP * Math.min(width, height)) {
    warnings.push('The image is a narrow strip; it may be a crop, not the whole image.')
  }
  const { source } = placement(image, rule)
  const seen = (source.width * source.height) / (width * height)
  if (seen < SEEN) {
    warnings.push(`The model sees only the middle ${Math.round(seen * 100)}% of this image.`)
  }
  return warnings
}
