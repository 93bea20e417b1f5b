// Nothing that identifies a person leaves the decoder: not in what the pool returns, nor in its errors.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import sharp from 'sharp'
import { AppError } from '../../src/errors.ts'
import { ImagingPool } from '../../src/imaging/imaging-pool.ts'
import { type Attribute, dicomFile, image } from '../support/dicom/dicom-file.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

const CANARY = /CANARY|PRIVACY/i
const pool = new ImagingPool({ workers: 1, limits: { maxBytes: 2 ** 26, maxPixels: 10 ** 8 } })
before(() => pool.start())
after(() => pool.stop())

/** Where identifying text stands, or could be put by a careless or hostile writer. */
const IDENTIFYING: readonly Attribute[] = [
  ['00080018', 'UI', '1.2.3.CANARY'],
  ['00080020', 'DA', '19CANARY'],
  ['00080050', 'SH', 'CANARY-ACC'],
  ['00080080', 'LO', 'PRIVACY HOSPITAL CANARY'],
  ['00080090', 'PN', 'CANARY^REFERRER'],
  ['0008103e', 'LO', 'CANARY SERIES'],
  ['00081010', 'SH', 'CANARY-STATION'],
  ['00100010', 'PN', 'CANARY^NAME'],
  ['00100020', 'LO', 'CANARY-ID'],
  ['00100030', 'DA', '19CANARY'],
  ['00091001', 'LO', 'CANARY PRIVATE'],
  ['00204000', 'LT', 'CANARY COMMENT'],
  ['00180015', 'CS', 'CANARY^KNEE'],
  ['00185101', 'CS', 'CANARY'],
  ['00200060', 'CS', 'CANARY'],
  ['00281055', 'LO', 'CANARY WINDOW'],
  ['00281056', 'CS', 'CANARY'],
  ['00280301', 'CS', 'CANARY'],
]

/** All text that comes back for a file, the bytes of its pictures included. */
async function everythingAbout(bytes: Uint8Array): Promise<string> {
  try {
    const { kept, tensors, ...about } = await pool.read(bytes, { preprocessing: [], keep: true })
    const preview = await pool.preview(bytes, { maxSide: 128 })
    const metadata = await sharp(kept).metadata()
    assert.deepEqual(
      [metadata.exif, metadata.xmp, metadata.iptc],
      [undefined, undefined, undefined],
    )
    const files = [kept ?? new Uint8Array(), preview.bytes].map((one) =>
      Buffer.from(one).toString('latin1'),
    )
    return [JSON.stringify(about), String(tensors.length), ...files].join()
  } catch (error) {
    assert.ok(error instanceof AppError && error.status < 500, String(error))
    return `${error.message} ${JSON.stringify(error.extra)} ${error.stack} ${String(error.cause)}`
  }
}

const PICTURE = image({ width: 8, height: 8 })
const PIXELS = Uint8Array.from({ length: 64 }, (_, i) => i * 4)

test('identifying text stays inside, wherever it stands and whether or not the file is read', async () => {
  const names = new Set(IDENTIFYING.map(([tag]) => tag))
  const attributes = [...PICTURE.filter(([tag]) => !names.has(tag)), ...IDENTIFYING]
  const good = dicomFile({ attributes, pixels: PIXELS })
  assert.match(good.toString('latin1'), CANARY)
  const cases = {
    good,
    'cut in its pixels': good.subarray(0, good.length - 20),
    'cut in its header': good.subarray(0, 400),
    'without pixels': dicomFile({ attributes }),
    'a private syntax': dicomFile({ syntax: '1.2.CANARY', attributes, pixels: PIXELS }),
    'no photometric': dicomFile({
      attributes: [
        ...attributes.filter(([tag]) => tag !== '00280004'),
        ['00280004', 'CS', 'CANARY'],
      ],
      pixels: PIXELS,
    }),
    'a name for a modality': dicomFile({
      attributes: [
        ...attributes.filter(([tag]) => tag !== '00080060'),
        ['00080060', 'CS', 'CANARY'],
      ],
      pixels: PIXELS,
    }),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    assert.doesNotMatch(await everythingAbout(bytes), CANARY, name)
  }
})

test('the passport says what was done, and the allowed tags only', async () => {
  const attributes: Attribute[] = [
    ...image({ width: 8, height: 8 }, { '00280004': ['CS', 'MONOCHROME1'] }),
    ...IDENTIFYING.filter(([tag]) => tag.startsWith('0010')),
    ['00180015', 'CS', 'C SPINE'],
    ['00185101', 'CS', 'LL'],
    ['00080068', 'CS', 'FOR PROCESSING'],
    ['00280301', 'CS', 'YES'],
  ]
  const { passport, warnings } = await pool.read(dicomFile({ attributes, pixels: PIXELS }), {
    preprocessing: [],
  })
  assert.deepEqual(passport.steps, [
    'decoded: explicit little endian',
    'no window: 0 shown black, 255 white',
    'inverted, because 0 is stored for white',
  ])
  assert.deepEqual(passport.tags, [
    { name: 'Modality', value: 'CR' },
    { name: 'Body part', value: 'CSPINE' },
    { name: 'View position', value: 'LL' },
    { name: 'Burned-in annotation', value: 'YES' },
    { name: 'Intent', value: 'FOR PROCESSING' },
    { name: 'Photometric interpretation', value: 'MONOCHROME1' },
    { name: 'Bits', value: '8 of 8' },
  ])
  assert.match(warnings.join(), /raw \(for processing\).*burned into the picture/)
})

const FOLDER = 'data/dicom'
test('no canary and no name of any real file comes out of the pool', {
  skip: skipWithout(FOLDER),
}, async () => {
  const folder = sharedPath(FOLDER) as string
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.dcm'))) {
    const bytes = readFileSync(join(folder, name))
    const text = await everythingAbout(bytes)
    assert.doesNotMatch(text, CANARY, name)
    for (const identifying of namesIn(bytes)) assert.ok(!text.includes(identifying), name)
  }
})

/** Text of explicit PN elements (person names) that is long enough to be told from chance. */
function namesIn(bytes: Buffer): string[] {
  const found: string[] = []
  for (let at = bytes.indexOf('PN'); at > 0; at = bytes.indexOf('PN', at + 1)) {
    const length = bytes.readUInt16LE(Math.min(at + 2, bytes.length - 2))
    const text = bytes.toString('latin1', at + 4, at + 4 + length).trim()
    if (/^[A-Za-z^ ]{6,64}$/.test(text)) found.push(text)
  }
  return found
}
