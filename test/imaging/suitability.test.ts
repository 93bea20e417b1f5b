// Whether an image suits its condition: by its tags, by its looks, and how often the looks deceive on real images.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { decodeImage } from '../../src/imaging/decode.ts'
import type { Pixels } from '../../src/imaging/pixels.ts'
import type { Preprocessing } from '../../src/imaging/preprocessing.ts'
import { imageWarnings } from '../../src/imaging/suitability/image-warnings.ts'
import { impressionOf } from '../../src/imaging/suitability/impression.ts'
import { subjectOf } from '../../src/imaging/suitability/subject.ts'
import { sharedPath } from '../support/shared.ts'

const CHEST = subjectOf({ name: 'Pneumonia', bodyPart: 'chest' })
const LIMB = subjectOf({ name: 'Limb abnormality', bodyPart: 'Limb ' })
const SKIN = subjectOf({ name: 'Skin lesion', bodyPart: 'skin' })
const RULE: Preprocessing = {
  schema: 1,
  width: 64,
  height: 64,
  channels: 1,
  order: 'rgb',
  aspect: 'stretch',
  interpolation: 'bilinear',
  antialias: true,
  scale: 1 / 255,
  mean: [0],
  std: [1],
}

type Paint = (x: number, y: number) => readonly number[]

function drawn(paint: Paint, [width, height]: readonly [number, number] = [96, 96]): Pixels {
  const rows = Array.from({ length: width * height }, (_, i) =>
    paint((i % width) / width, Math.floor(i / width) / height),
  )
  const channels = rows[0]?.length === 3 ? 3 : 1
  return { width, height, channels, data: Uint8Array.from(rows.flat()), maxValue: 255 }
}

/** A light body on black film. */
const film: Paint = (x, y) => [Math.hypot(x - 0.5, y - 0.6) < 0.35 ? 200 - 90 * y : 10]
const negative: Paint = (x, y) => [255 - (film(x, y)[0] as number)]
const skin: Paint = (x, y) => [220 - 60 * y, 160 - 40 * x, 130]

function said(
  pixels: Pixels,
  o: {
    subject?: typeof CHEST
    tags?: Readonly<Record<string, string>>
    rule?: Partial<Preprocessing>
  } = {},
): string {
  const tags = Object.entries(o.tags ?? {}).map(([name, value]) => ({ name, value }))
  const { width, height } = pixels
  return imageWarnings(
    { width, height, impression: impressionOf(pixels), tags },
    { subject: o.subject ?? CHEST, preprocessing: { ...RULE, ...o.rule } },
  ).join('\n')
}

test('an image that suits its condition is not warned of', () => {
  assert.equal(said(drawn(film)), '')
  assert.equal(said(drawn(film), { tags: { Modality: 'DX', 'Body part': 'CHEST' } }), '')
  assert.equal(said(drawn(film), { subject: LIMB, tags: { Modality: 'CR' } }), '')
  assert.equal(said(drawn(film), { subject: LIMB, tags: { 'Body part': 'WRIST' } }), '')
  assert.equal(said(drawn(skin), { subject: SKIN, tags: { Modality: 'XC' } }), '')
  assert.equal(said(drawn(skin), { subject: SKIN, tags: { 'Body part': 'HAND' } }), '')
})

test('a modality that is no radiography is named, one that says nothing is let pass', () => {
  assert.match(
    said(drawn(film), { tags: { Modality: 'CT' } }),
    /tagged as a CT slice, but Pneumonia/,
  )
  assert.match(said(drawn(film), { tags: { Modality: 'IVUS' } }), /an image of modality IVUS/)
  assert.match(
    said(drawn(skin), { subject: SKIN, tags: { Modality: 'DX' } }),
    /tagged as an X-ray, but/,
  )
  for (const Modality of ['SC', 'OT']) assert.equal(said(drawn(film), { tags: { Modality } }), '')
})

test('another body part is named in the words of the file', () => {
  const knee = said(drawn(film), { tags: { Modality: 'DX', 'Body part': 'KNEE' } })
  assert.match(knee, /tagged with body part KNEE, but Pneumonia expects .* "chest"/)
  assert.equal(said(drawn(film), { tags: { 'Body part': 'WHOLEBODY' } }), '')
})

test('nothing is said where a condition does not tell what it expects', () => {
  const tags = { Modality: 'CT', 'Body part': 'KNEE' }
  for (const subject of [
    subjectOf({ name: 'Retinopathy', bodyPart: 'retina' }),
    subjectOf({ name: 'Nodules on CT', bodyPart: 'chest' }),
  ]) {
    assert.equal(said(drawn(skin), { subject, tags }), '')
  }
})

test('a blank sheet, colour, greyness and a negative are seen', () => {
  assert.match(said(drawn(() => [128])), /^The image is almost uniform[^\n]*$/)
  assert.match(said(drawn(skin)), /looks like a colour photo, not an X-ray/)
  assert.match(said(drawn(film), { subject: SKIN }), /almost no colour/)
  assert.match(said(drawn(negative)), /inverted/)
  assert.match(said(drawn(negative), { subject: LIMB }), /inverted/)
  const deep = { ...drawn(negative), maxValue: 65535 as const }
  const data = Uint16Array.from(deep.data, (value) => value * 257)
  assert.match(said({ ...deep, data }), /inverted/)
})

test('an image that is tiny, a strip, or mostly out of sight of the model is warned of', () => {
  assert.match(said(drawn(film, [15, 64])), /only 15 × 64 pixels.*\n.*narrow strip/)
  assert.match(said(drawn(film, [200, 90]), { rule: { aspect: 'crop' } }), /only the middle 45%/)
  assert.equal(said(drawn(film, [100, 90]), { rule: { aspect: 'crop' } }), '')
})

/** Warnings of each kind over every fifth of a folder of real images, and over their negatives. */
async function counts(folder: string, subject: typeof CHEST) {
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith('.jpg') && !name.startsWith('original-size'))
    .sort()
    .filter((_, i) => i % 5 === 0)
  const found = { images: names.length, colour: 0, grey: 0, inverted: 0, negatives: 0 }
  for (const name of names) {
    const bytes = await readFile(join(folder, name))
    const { pixels } = await decodeImage(bytes, { maxBytes: 2 ** 26, maxPixels: 2 ** 25 })
    const words = said(pixels, { subject })
    if (/inverted/.test(words)) found.inverted++
    const data = Uint8Array.from(pixels.data, (value) => 255 - value)
    if (/inverted/.test(said({ ...pixels, data }, { subject }))) found.negatives++
    if (/colour photo/.test(said(pixels, { subject: CHEST }))) found.colour++
    if (/almost no colour/.test(said(pixels, { subject: SKIN }))) found.grey++
  }
  return found
}

for (const [folder, subject, expected] of [
  ['data/chest-xray-covid', CHEST, { images: 53, colour: 0, grey: 53, inverted: 0, negatives: 49 }],
  [
    'data/bone-fracture-boxes/images',
    LIMB,
    { images: 47, colour: 0, grey: 47, inverted: 0, negatives: 47 },
  ],
  [
    'data/skin-ham10000/images',
    SKIN,
    { images: 78, colour: 78, grey: 0, inverted: 0, negatives: 0 },
  ],
] as const) {
  const path = sharedPath(folder)
  test(`the thresholds tell real images apart as often as was recorded: ${folder}`, {
    skip: path ? false : 'the shared images are not here',
  }, async () => {
    assert.deepEqual(await counts(path as string, subject), expected)
  })
}
