// What equipment and archives really write although the standard has it otherwise: read as pydicom and dcmtk read it, with a
// warning where the file contradicts itself.
import assert from 'node:assert/strict'
import test from 'node:test'
import sharp from 'sharp'
import type { AppError } from '../../src/errors.ts'
import { decodeImage } from '../../src/imaging/decode.ts'
import { rle } from '../support/dicom/coded-frames.ts'
import {
  type Attribute,
  type DicomContent,
  deep,
  dicomFile,
  image,
  SYNTAX,
  type Value,
} from '../support/dicom/dicom-file.ts'

const LIMITS = { maxBytes: 2 ** 26, maxPixels: 10 ** 6 }
const SMALL = { width: 16, height: 16 }
const VALUES = Uint8Array.from({ length: 256 }, (_, i) => i)
const PIXEL_DATA = Buffer.from('e07f1000', 'hex')
type Tags = Record<string, readonly [vr: string, value: Value]>

async function decode(content: DicomContent | Uint8Array, frame?: number) {
  const bytes = content instanceof Uint8Array ? content : dicomFile(content)
  return decodeImage(bytes, { ...LIMITS, frame })
}

async function assertReadsValues(content: DicomContent | Uint8Array): Promise<void> {
  const { pixels, warnings } = await decode(content)
  assert.deepEqual([...pixels.data], [...VALUES])
  assert.deepEqual(warnings, [])
}

/** The same file with these bytes before its pixel data. */
function withBefore(content: DicomContent, hex: string): Buffer {
  const bytes = dicomFile(content)
  const at = bytes.indexOf(PIXEL_DATA)
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(hex, 'hex'), bytes.subarray(at)])
}

test('value representations with 64-bit numbers, and ones that are still to come, are passed over', async () => {
  for (const vr of ['OV', 'UV', 'SV', 'OL', 'OD', 'OF', 'UC', 'UR', 'ZZ']) {
    const odd: Attribute = ['00091010', vr, new Uint8Array(24)]
    await assertReadsValues({ attributes: [...image(SMALL), odd], pixels: VALUES })
  }
})

test('an extended offset table leads to each frame', async () => {
  const frames = [1, 2, 3].map((n) => rle([VALUES.map((value) => (value * n) % 256)]))
  const lengths = frames.map(({ length }) => 8 + length + (length % 2))
  const offsets = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, one) => sum + one, 0))
  const table = Buffer.from(BigUint64Array.from(offsets.map(BigInt)).buffer)
  const attributes: Attribute[] = [
    ...image(SMALL, { '00280008': ['IS', '3'] }),
    ['7fe00001', 'OV', table],
  ]
  const content = { syntax: SYNTAX.rle, attributes, fragments: frames }
  for (const n of [1, 2, 3]) {
    const { pixels } = await decode(content, n)
    assert.deepEqual([...pixels.data], [...VALUES.map((value) => (value * n) % 256)])
  }
})

test('a data set that is written otherwise than its header says is read as it is written', async () => {
  const attributes = image(SMALL)
  const { explicit, implicit, bigEndian } = SYNTAX
  await assertReadsValues({ syntax: explicit, says: implicit, attributes, pixels: VALUES })
  await assertReadsValues({ syntax: implicit, says: explicit, attributes, pixels: VALUES })
  const words = {
    attributes: image({ width: 2, height: 1 }, deep(16)),
    pixels: Uint16Array.of(1, 9),
  }
  const { pixels } = await decode({ ...words, syntax: explicit, says: bigEndian })
  assert.deepEqual([...pixels.data], [0, 65535])
})

test('a private element of many mebibytes is passed over', async () => {
  const large: Attribute = ['00091010', 'OB', new Uint8Array(9 * 2 ** 20)]
  await assertReadsValues({ attributes: [...image(SMALL), large], pixels: VALUES })
})

test('delimiters where nothing is open are passed over', async () => {
  const content = { attributes: image(SMALL), pixels: VALUES }
  await assertReadsValues(withBefore(content, 'feff0de000000000'))
  await assertReadsValues(withBefore(content, 'feffdde000000000feffdde000000000'))
})

test('a sequence of unknown representation is read, whether its items are explicit or implicit', async () => {
  const table: Attribute[] = [
    ['00283002', 'US', [2, 0, 8]],
    ['00283006', 'US', [255, 0]],
  ]
  const tags: Tags = { '00283010': ['SQ', [table]] }
  const bytes = dicomFile({
    attributes: image({ width: 2, height: 1 }, tags),
    pixels: Uint8Array.of(0, 1),
  })
  const at = bytes.indexOf(Buffer.from('28001030', 'hex')) + 4
  assert.equal(bytes.toString('latin1', at, at + 2), 'SQ')
  bytes.write('UN', at, 'latin1')
  const { pixels } = await decode(bytes)
  assert.deepEqual([...pixels.data], [255, 0])
})

test('a JPEG of 8 bits is read where 16 are allocated, and a progressive one where a baseline one is said', async () => {
  const grey = { raw: { ...SMALL, channels: 1 as const } }
  const flat = Buffer.alloc(256, 90)
  const jpeg = await sharp(flat, grey).toColourspace('b-w').jpeg({ quality: 100 }).toBuffer()
  const progressive = await sharp(flat, grey)
    .toColourspace('b-w')
    .jpeg({ quality: 100, progressive: true })
    .toBuffer()
  const said = { syntax: SYNTAX.jpeg, attributes: image(SMALL, deep(16)), fragments: [jpeg] }
  const { pixels } = await decode(said)
  assert.deepEqual([pixels.maxValue, pixels.data[0]], [255, 90])
  const other = await decode({ ...said, attributes: image(SMALL), fragments: [progressive] })
  assert.equal(other.pixels.data[0], 90)
})

test('colour that is called subsampled and holds every sample is used whole, with a warning', async () => {
  const attributes = image(
    { width: 3, height: 1 },
    { '00280002': ['US', [3]], '00280004': ['CS', 'YBR_FULL_422'] },
  )
  const pixels = Uint8Array.of(76, 85, 255, 29, 255, 107, 255, 128, 128)
  const decoded = await decode({ attributes, pixels })
  assert.deepEqual([...decoded.pixels.data], [254, 0, 0, 0, 0, 254, 255, 255, 255])
  assert.match(decoded.warnings.join(), /called|says that colour is subsampled/)
  const cut = { attributes, pixels: pixels.subarray(0, 7) }
  await assert.rejects(decode(cut), (error) => (error as AppError).code === 'undecodable-image')
})

test('a VOI table whose entries use other bits than it says is shown over its real range, with a warning', async () => {
  const shown = async (bits: number) => {
    const table: Attribute[] = [
      ['00283002', 'US', [3, 0, bits]],
      ['00283006', 'US', [0, 1023, 4095]],
    ]
    const tags: Tags = { ...deep(12), '00283010': ['SQ', [table]] }
    const attributes = image({ width: 3, height: 1 }, tags)
    return decode({ attributes, pixels: Uint16Array.of(0, 1, 2) })
  }
  const right = await shown(12)
  assert.deepEqual([right.warnings, right.pixels.data[2]], [[], 65535])
  for (const bits of [8, 10, 16]) {
    const { pixels, warnings } = await shown(bits)
    assert.deepEqual(pixels.data, right.pixels.data)
    assert.match(warnings.join(), new RegExp(`says ${bits} bits and uses 12`))
  }
})

test('a decimal comma is a decimal point, and code strings may be small', async () => {
  const ramp = Uint16Array.from({ length: 256 }, (_, i) => i * 16)
  const decoded = (tags: Tags) =>
    decode({ attributes: image(SMALL, { ...deep(12), ...tags }), pixels: ramp })
  const window = (centre: string, width: string, shape: string): Tags => ({
    '00281050': ['DS', centre],
    '00281051': ['DS', width],
    '00281056': ['CS', shape],
  })
  const right = await decoded(window('2000.5', '1000.0', 'SIGMOID'))
  const comma = await decoded(window('2000,5', '1000,0', 'SIGMOID'))
  assert.deepEqual(comma.pixels.data, right.pixels.data)
  assert.match(comma.warnings.join(), /decimal comma/)
  const small = await decoded(window('2000.5', '1000.0', 'sigmoid'))
  assert.deepEqual([small.pixels.data, small.warnings], [right.pixels.data, []])
  const exact = await decoded(window('2000', '1000', 'linear_exact'))
  assert.deepEqual(
    exact.pixels.data,
    (await decoded(window('2000', '1000', 'LINEAR_EXACT'))).pixels.data,
  )
  const inverse = await decoded({
    '00280004': ['CS', 'monochrome1'],
    '20500020': ['CS', 'inverse'],
  })
  assert.equal(inverse.pixels.data[0], 65535)
  const slope = await decoded({ '00281053': ['DS', '2,0'], '00281052': ['DS', '-100,0'] })
  assert.match(slope.passport?.steps.join() ?? '', /rescaled: × 2 \+ -100/)
})

test('an offset table that points beside the frames is not believed', async () => {
  const jpegs = await Promise.all(
    [40, 200].map((grey) =>
      sharp(Buffer.alloc(256, grey), { raw: { ...SMALL, channels: 1 } })
        .toColourspace('b-w')
        .jpeg()
        .toBuffer(),
    ),
  )
  const frames = (count: string) => image(SMALL, { '00280008': ['IS', count] })
  const content = { syntax: SYNTAX.jpeg, fragments: jpegs }
  const first = 8 + (jpegs[0]?.length ?? 0) + ((jpegs[0]?.length ?? 0) % 2)
  for (const offsets of [
    [16, first + 16],
    [0, first + 2],
    [first, 0],
    [0, 0],
  ]) {
    for (const [n, grey] of [40, 200].entries()) {
      const { pixels, warnings } = await decode(
        { ...content, offsets, attributes: frames('2') },
        n + 1,
      )
      assert.deepEqual([pixels.data[0], warnings.length], [grey, 1], String(offsets))
      assert.match(warnings.join(), /offset table/)
    }
  }
  const five = { ...content, attributes: frames('5') }
  const { pixels, warnings } = await decode(five, 2)
  assert.equal(pixels.data[0], 200)
  assert.match(warnings.join(), /says 5 frame.* holds 2/)
  await assert.rejects(decode(five, 3), (error) => (error as AppError).code === 'undecodable-image')
  const one = await decode({ ...content, attributes: image(SMALL) })
  assert.equal(one.pixels.data[0], 40)
  assert.match(one.warnings.join(), /says 1 frame.* holds 2/)
  const coded = {
    syntax: SYNTAX.rle,
    attributes: frames('5'),
    fragments: [rle([VALUES]), rle([VALUES])],
  }
  await assert.rejects(decode(coded, 1), /does not say where frame 1 lies/)
})

test('a window that leaves almost one shade of an uneven picture gives way to the full range, and both say so', async () => {
  const values = Uint16Array.from({ length: 256 }, (_, i) => i * 10)
  const shown = (centre: string, width: string) =>
    decode({
      attributes: image(SMALL, {
        ...deep(12),
        '00281050': ['DS', centre],
        '00281051': ['DS', width],
      }),
      pixels: values,
    })
  const dark = await shown('3400', '200')
  assert.deepEqual([dark.pixels.data[0], dark.pixels.data[255]], [0, 65535])
  assert.match(dark.warnings.join(), /almost only black; the full range is shown/)
  assert.match(dark.passport?.steps.join() ?? '', /window of the file is not used/)
  assert.match((await shown('-900', '100')).warnings.join(), /almost only white/)
  assert.match((await shown('1000', '900000')).warnings.join(), /almost one shade/)
  assert.deepEqual((await shown('1200', '1000')).warnings, [])
})
