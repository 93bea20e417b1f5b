import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeImage } from '../../src/imaging/decode.ts'
import {
  type DicomContent,
  deep,
  dicomFile,
  image,
  type Value,
} from '../support/dicom/dicom-file.ts'

const LIMITS = { maxBytes: 2 ** 24, maxPixels: 10 ** 6 }
type Tags = Record<string, readonly [vr: string, value: Value]>

async function decode(content: DicomContent, frame?: number) {
  return decodeImage(dicomFile(content), { ...LIMITS, frame })
}

/** One row of 16-bit values with these tags, as shares of white. */
async function shares(values: Uint16Array | Int16Array, tags: Tags): Promise<number[]> {
  const { pixels } = await decode({
    attributes: image({ width: values.length, height: 1 }, tags),
    pixels: values,
  })
  return [...pixels.data].map((value) => value / pixels.maxValue)
}

function near(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length)
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs((actual[i] ?? -1) - value) < 1.6e-5, `${actual} is not ${expected}`)
  }
}

const window = (centre: string, width: string, shape?: string): Tags => ({
  '00281050': ['DS', centre],
  '00281051': ['DS', width],
  ...(shape && { '00281056': ['CS', shape] as const }),
})

test('a 16-bit ramp comes out with all of its 65536 values', async () => {
  const ramp = Uint16Array.from({ length: 65536 }, (_, i) => i)
  const attributes = image({ width: 256, height: 256 }, deep(16))
  const { pixels, format, warnings } = await decode({ attributes, pixels: ramp })
  assert.deepEqual([format, pixels.maxValue, pixels.channels], ['dicom', 65535, 1])
  assert.deepEqual(pixels.data, ramp)
  assert.deepEqual(warnings, [])
})

test('eight bits without a window are shown as they are, as a PNG of them would be', async () => {
  const attributes = image({ width: 3, height: 1 })
  const { pixels } = await decode({ attributes, pixels: Uint8Array.of(0, 100, 238) })
  assert.deepEqual([...pixels.data, pixels.maxValue], [0, 100, 238, 255])
})

test('deeper images without a window are shown from their least to their greatest value', async () => {
  near(await shares(Uint16Array.of(1000, 1500, 3000), deep(12)), [0, 0.25, 1])
  near(await shares(Int16Array.of(-1000, 0, 1000), deep(16, true)), [0, 0.5, 1])
})

test('the linear window is that of PS3.3 C.11.2.1.2.1', async () => {
  // c 2048, w 4096: black up to 0, white above 4095.
  const tags = { ...deep(12), ...window('2048', '4096') }
  near(await shares(Uint16Array.of(0, 1, 2048, 4095), tags), [0, 1 / 4095, 2048 / 4095, 1])
  // w 1 is a step between c - 1 and c.
  near(
    await shares(Uint16Array.of(99, 100, 101), { ...deep(12), ...window('100', '1') }),
    [0, 1, 1],
  )
})

test('the linear exact window has its ends at half a width from its centre', async () => {
  const tags = { ...deep(12), ...window('100', '200', 'LINEAR_EXACT') }
  near(await shares(Uint16Array.of(0, 50, 200, 300), tags), [0, 0.25, 1, 1])
})

test('the sigmoid window is a logistic curve', async () => {
  const tags = { ...deep(12), ...window('100', '200', 'SIGMOID') }
  near(await shares(Uint16Array.of(0, 100, 200), tags), [
    1 / (1 + Math.exp(2)),
    0.5,
    1 / (1 + Math.exp(-2)),
  ])
})

test('the first of several windows is used; one of no width is not', async () => {
  const several = { ...deep(12), ...window('50\\2000', '101\\10') }
  near(await shares(Uint16Array.of(0, 50, 100, 3000), several), [0.005, 0.505, 1, 1])
  const none = { ...deep(12), ...window('50', '0') }
  near(await shares(Uint16Array.of(0, 50, 100), none), [0, 0.5, 1])
})

test('a window outside of the picture gives way to its full range, and says so', async () => {
  const attributes = image({ width: 2, height: 1 }, { ...deep(12), ...window('9000', '10') })
  const { pixels, warnings } = await decode({ attributes, pixels: Uint16Array.of(5, 500) })
  assert.deepEqual([...pixels.data], [0, 65535])
  assert.match(warnings.join(), /window .* shows almost only (black|white)/)
})

test('rescaling comes before the window', async () => {
  const tags = {
    ...deep(16),
    ...window('127.5', '256'),
    '00281053': ['DS', '0.01'],
    '00281052': ['DS', '-10'],
  } as const
  near(await shares(Uint16Array.of(1000, 11000), tags), [0.5 / 255, 100.5 / 255])
})

test('MONOCHROME1 and the presentation shape INVERSE are inverted once, after the window', async () => {
  const values = Uint16Array.of(0, 1023, 4095)
  const photometric = ['CS', 'MONOCHROME1'] as const
  const tags = { ...deep(12), ...window('2048', '4096'), '00280004': photometric }
  const expected = [1, 1 - 1023 / 4095, 0]
  near(await shares(values, tags), expected)
  near(await shares(values, { ...tags, '20500020': ['CS', 'INVERSE'] }), expected)
})

test('bits above those stored are no part of a value, and the sign is the highest stored one', async () => {
  // Overlay bits of old files lie above bit 11.
  near(await shares(Uint16Array.of(0xf000, 0x1400, 0x3800), deep(12)), [0, 0.5, 1])
  near(await shares(Uint16Array.of(0x0800, 0x0ffe, 0x07fc), deep(12, true)), [0, 0.5, 1])
  const high = { ...deep(12), '00280102': ['US', [15]] } as const
  near(await shares(Uint16Array.of(0x000f, 0x800f, 0xffff), high), [0, 2048 / 4095, 1])
})

test('padding is left out of the range and shown black, inverted or not', async () => {
  const tags = { ...deep(16, true), '00280120': ['US', [-2000 & 0xffff]] } as const
  const values = Int16Array.of(-2000, 0, 50, 100)
  near(await shares(values, tags), [0, 0, 0.5, 1])
  near(await shares(values, { ...tags, '00280004': ['CS', 'MONOCHROME1'] }), [0, 1, 0.5, 0])
  const limited = { ...tags, '00280121': ['US', [-1000 & 0xffff]] } as const
  near(await shares(Int16Array.of(-1500, -1000, 0, 100), limited), [0, 0, 0, 1])
})

const table = (first: number, bits: number, entries: readonly number[]) =>
  [
    [
      ['00283002', 'US', [entries.length, first, bits]],
      ['00283006', 'OW', new Uint8Array(Uint16Array.from(entries).buffer)],
    ],
  ] as const

test('a modality table replaces rescaling, and holds its ends', async () => {
  const tags: Tags = { ...deep(12), '00283000': ['SQ', table(10, 16, [0, 100, 1000])] }
  near(await shares(Uint16Array.of(0, 10, 11, 12, 99), tags), [0, 0, 0.1, 1, 1])
})

test('a VOI table is used before a window', async () => {
  const tags: Tags = {
    ...deep(12),
    ...window('1', '2'),
    '00283010': ['SQ', table(0, 8, [0, 51, 255])],
  }
  near(await shares(Uint16Array.of(0, 1, 2, 700), tags), [0, 0.2, 1, 1])
})

test('a lookup table that is shorter than it says is refused', async () => {
  const item = [
    ['00283002', 'US', [4000, 0, 16]],
    ['00283006', 'OW', new Uint8Array(10)],
  ] as const
  await assert.rejects(shares(Uint16Array.of(1, 2), { ...deep(12), '00283010': ['SQ', [item]] }), {
    code: 'undecodable-image',
    message: /lookup table/,
  })
})

test('a frame has the window of its functional group', async () => {
  const group = (centre: string) =>
    [['00289132', 'SQ', [Object.entries(window(centre, '100', 'LINEAR_EXACT')).map(flat)]]] as const
  const flat = ([tag, [vr, value]]: [string, readonly [string, Value]]) => [tag, vr, value] as const
  const attributes = image(
    { width: 1, height: 1 },
    { ...deep(12), '00280008': ['IS', '2'], '52009230': ['SQ', [group('100'), group('150')]] },
  )
  const content = { attributes, pixels: Uint16Array.of(125, 125) }
  assert.equal((await decode(content, 1)).pixels.data[0], Math.round(0.75 * 65535))
  assert.equal((await decode(content, 2)).pixels.data[0], Math.round(0.25 * 65535))
})

test('the first frame is read unless another is chosen; one that there is not is refused', async () => {
  const attributes = image({ width: 2, height: 1 }, { '00280008': ['IS', '3'] })
  const content = { attributes, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) }
  const first = await decode(content)
  assert.deepEqual([...first.pixels.data, first.frames], [1, 2, 3])
  assert.match(first.warnings.join(), /3 pages or frames; only the first/)
  const third = await decode(content, 3)
  assert.deepEqual([...third.pixels.data], [5, 6])
  assert.deepEqual(third.warnings, [])
  for (const frame of [0, 4, 1.5]) {
    await assert.rejects(decode(content, frame), { code: 'invalid', message: /from 1 to 3/ })
  }
})
