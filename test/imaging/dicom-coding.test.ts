import assert from 'node:assert/strict'
import test from 'node:test'
import sharp from 'sharp'
import { decodeImage } from '../../src/imaging/decode.ts'
import { codestream, losslessJpeg, rle, twelveBitJpeg } from '../support/dicom/coded-frames.ts'
import {
  type DicomContent,
  deep,
  dicomFile,
  image,
  SYNTAX,
  type Value,
} from '../support/dicom/dicom-file.ts'

const LIMITS = { maxBytes: 2 ** 24, maxPixels: 10 ** 6 }
const SIZE = { width: 24, height: 17 }
/** 12-bit values with edges and gradients; the window shows each as itself. */
const GREY = Uint16Array.from({ length: 24 * 17 }, (_, i) => (i * i * 37 + (i % 24) * 90) % 4096)
const TAGS = { ...deep(12), '00281050': ['DS', '2048'], '00281051': ['DS', '4096'] } as const
const SHOWN = Array.from(GREY, (value) => Math.round((value / 4095) * 65535))
const RGB = Uint8Array.from({ length: 24 * 17 * 3 }, (_, i) => (i * 31 + (i % 3) * 80) % 256)

type Tags = Record<string, readonly [vr: string, value: Value]>

async function decode(content: DicomContent, frame?: number) {
  return (await decodeImage(dicomFile(content), { ...LIMITS, frame })).pixels
}

const grey = (tags: Tags = TAGS) => image(SIZE, tags)

const colour = (photometric: string, more: Tags = {}) =>
  image(SIZE, { '00280002': ['US', [3]], '00280004': ['CS', photometric], ...more })

test('a value is the same in every uncompressed transfer syntax, with and without header', async () => {
  for (const syntax of [SYNTAX.explicit, SYNTAX.implicit, SYNTAX.bigEndian, SYNTAX.deflated]) {
    const pixels = await decode({ syntax, attributes: grey(), pixels: GREY })
    assert.deepEqual([...pixels.data], SHOWN, syntax)
  }
  for (const syntax of [SYNTAX.explicit, SYNTAX.implicit]) {
    const bare = { syntax, header: false, attributes: grey(), pixels: GREY }
    assert.deepEqual([...(await decode(bare)).data], SHOWN, `bare ${syntax}`)
  }
})

test('RLE lossless is read in 8 and 16 bits and in colour', async () => {
  const planes = (bytes: Uint8Array, step: number) =>
    Array.from({ length: step }, (_, n) => bytes.filter((_, i) => i % step === n))
  const bytes = new Uint8Array(GREY.buffer)
  const fragments = [rle(planes(bytes, 2).reverse())]
  const pixels = await decode({ syntax: SYNTAX.rle, attributes: grey(), fragments })
  assert.deepEqual([...pixels.data], SHOWN)
  const rgb = { syntax: SYNTAX.rle, attributes: colour('RGB'), fragments: [rle(planes(RGB, 3))] }
  assert.deepEqual(Buffer.from((await decode(rgb)).data as Uint8Array), Buffer.from(RGB))
})

test('lossless JPEG is exact with each predictor, with restarts, and up to 16 bits', async () => {
  for (const predictor of [1, 2, 3, 4, 5, 6, 7]) {
    for (const restartRows of [undefined, 4]) {
      const options = { precision: 12, predictor, ...(restartRows && { restartRows }) }
      const fragments = [losslessJpeg({ ...SIZE, values: GREY }, options)]
      const pixels = await decode({ syntax: SYNTAX.jpegLossless, attributes: grey(), fragments })
      assert.deepEqual([...pixels.data], SHOWN, `predictor ${predictor}, ${restartRows}`)
    }
  }
  const ramp = Uint16Array.from({ length: 65536 }, (_, i) => (i * 40503) & 0xffff)
  const square = { width: 256, height: 256 }
  const fragments = [losslessJpeg({ ...square, values: ramp }, { precision: 16, predictor: 4 })]
  const attributes = image(square, deep(16))
  const pixels = await decode({ syntax: SYNTAX.jpegLossless, attributes, fragments })
  assert.deepEqual(pixels.data, ramp)
})

test('12-bit extended JPEG is read to its blocks', async () => {
  const values = [0, 1000, 4095, 2048, 77, 3000]
  const fragments = [twelveBitJpeg({ width: 20, height: 12 }, values)]
  const attributes = image({ width: 20, height: 12 }, TAGS)
  const { data } = await decode({ syntax: SYNTAX.jpeg, attributes, fragments })
  for (const [at, value] of [
    [0, 0],
    [15, 1000],
    [16, 4095],
    [8 * 20, 2048],
    [11 * 20 + 19, 3000],
  ] as const) {
    assert.equal(data[at], Math.round((value / 4095) * 65535))
  }
})

test('baseline JPEG is read in grey, and in colour as the tag says', async () => {
  const raw = { width: 24, height: 17, channels: 1 } as const
  const smooth = Uint8Array.from({ length: 24 * 17 }, (_, i) => (i % 24) * 10)
  const jpeg = await sharp(smooth, { raw }).toColourspace('b-w').jpeg({ quality: 100 }).toBuffer()
  const { data } = await decode({
    syntax: SYNTAX.jpeg,
    attributes: image(SIZE),
    fragments: [jpeg.subarray(0, 300), jpeg.subarray(300)],
  })
  assert.ok(data.every((value, i) => Math.abs(value - (smooth[i] as number)) <= 3))

  const rgb = { create: { width: 24, height: 17, channels: 3, background: '#c03020' } } as const
  const coded = await sharp(rgb).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer()
  // It has no JFIF segment: nothing but the tag says whether these are YCbCr or RGB.
  assert.ok(!coded.includes('JFIF'))
  const content = { syntax: SYNTAX.jpeg, fragments: [coded] }
  const ybr = await decode({ ...content, attributes: colour('YBR_FULL_422') })
  assert.ok(Math.abs((ybr.data[0] as number) - 0xc0) <= 3)
  const asStored = await decode({ ...content, attributes: colour('RGB') })
  const luma = 0.299 * 0xc0 + 0.587 * 0x30 + 0.114 * 0x20
  assert.ok(Math.abs((asStored.data[0] as number) - luma) <= 3)
})

for (const kind of ['jpeg-ls', 'jpeg-2000', 'htj2k'] as const) {
  const syntax = { 'jpeg-ls': SYNTAX.jpegLs, 'jpeg-2000': SYNTAX.jpeg2000, htj2k: SYNTAX.htj2k }[
    kind
  ]

  test(`${kind} is exact: 12 bits, 8 bits, signed and colour`, async () => {
    const twelve = await codestream(kind, { ...SIZE, values: GREY, bits: 12 })
    const pixels = await decode({ syntax, attributes: grey(), fragments: [twelve] })
    assert.deepEqual([...pixels.data], SHOWN)

    const bytes = RGB.subarray(0, 24 * 17)
    const eight = await codestream(kind, { ...SIZE, values: bytes, bits: 8 })
    const small = await decode({ syntax, attributes: image(SIZE), fragments: [eight] })
    assert.deepEqual([...small.data], [...bytes])

    const values = new Uint16Array(Int16Array.from(GREY, (value) => value - 2048).buffer)
    const signed = await codestream(kind, { ...SIZE, values, bits: 16, signed: kind !== 'jpeg-ls' })
    const tags = { ...deep(16, true), '00281050': ['DS', '0'], '00281051': ['DS', '4096'] } as const
    const shifted = await decode({ syntax, attributes: image(SIZE, tags), fragments: [signed] })
    assert.deepEqual([...shifted.data], SHOWN)

    const three = await codestream(kind, { ...SIZE, values: RGB, bits: 8, components: 3 })
    const photometric = kind === 'jpeg-ls' ? 'RGB' : 'YBR_RCT'
    const rgb = await decode({ syntax, attributes: colour(photometric), fragments: [three] })
    assert.deepEqual(Buffer.from(rgb.data as Uint8Array), Buffer.from(RGB))
  })
}

test('JPEG-LS in colour may lie plane by plane', async () => {
  const planes = Uint8Array.from(
    RGB,
    (_, i) => RGB[(i % (24 * 17)) * 3 + Math.floor(i / (24 * 17))] as number,
  )
  const o = { ...SIZE, values: planes, bits: 8, components: 3, planar: true } as const
  const fragments = [await codestream('jpeg-ls', o)]
  const pixels = await decode({ syntax: SYNTAX.jpegLs, attributes: colour('RGB'), fragments })
  assert.deepEqual(Buffer.from(pixels.data as Uint8Array), Buffer.from(RGB))
})

test('colour lies by pixel or by plane, as RGB or as full or subsampled YBR', async () => {
  const byPlane = Uint8Array.of(200, 10, 100, 20, 50, 30)
  const two = (photometric: string, more: Tags = {}) =>
    image(
      { width: 2, height: 1 },
      { '00280002': ['US', [3]], '00280004': ['CS', photometric], ...more },
    )
  const planar = { '00280006': ['US', [1]] } as const
  const mixed = await decode({ attributes: two('RGB', planar), pixels: byPlane })
  assert.deepEqual([...mixed.data], [200, 100, 50, 10, 20, 30])
  const ybr = await decode({
    attributes: two('YBR_FULL'),
    pixels: Uint8Array.of(76, 85, 255, 29, 255, 107),
  })
  assert.deepEqual([...ybr.data], [254, 0, 0, 0, 0, 254])
  const half = await decode({
    attributes: two('YBR_FULL_422'),
    pixels: Uint8Array.of(76, 100, 85, 255),
  })
  assert.deepEqual([...half.data], [254, 0, 0, 255, 24, 24])
})

test('a palette of 16-bit entries gives RGB', async () => {
  const entries = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer)
  const palette: Tags = { '00280004': ['CS', 'PALETTE COLOR'] }
  const lists = [entries(0, 0xff00), entries(0x8000, 0), entries(0x0100, 0x0200)]
  lists.forEach((list, i) => {
    palette[`0028110${i + 1}`] = ['US', [2, 0, 16]]
    palette[`0028120${i + 1}`] = ['OW', list]
  })
  const attributes = image({ width: 2, height: 1 }, palette)
  const { data } = await decode({ attributes, pixels: Uint8Array.of(1, 0) })
  assert.deepEqual([...data], [255, 0, 2, 0, 128, 1])
})

test('single bits are read from the least significant one on', async () => {
  const bits = {
    '00280100': ['US', [1]],
    '00280101': ['US', [1]],
    '00280102': ['US', [0]],
  } as const
  const attributes = image({ width: 5, height: 2 }, bits)
  const { data } = await decode({ attributes, pixels: Uint8Array.of(0b11010001, 0b10) })
  assert.deepEqual([...data].map(Boolean).map(Number), [1, 0, 0, 0, 1, 0, 1, 1, 0, 1])
})

test('a frame is found by the offset table, by one fragment each, or by where codestreams begin', async () => {
  const frames = [10, 20, 30].map((value) =>
    losslessJpeg(
      { width: 2, height: 2, values: new Uint8Array(4).fill(value) },
      { precision: 8, predictor: 1 },
    ),
  )
  const attributes = image({ width: 2, height: 2 }, { '00280008': ['IS', '3'] })
  const content = { syntax: SYNTAX.jpegLossless, attributes }
  const halves = frames.flatMap((one) => [one.subarray(0, 30), one.subarray(30)])
  const even = (bytes: Uint8Array) => 8 + bytes.length + (bytes.length % 2)
  const offsets = [0, 2, 4].map((n) => halves.slice(0, n).reduce((sum, one) => sum + even(one), 0))
  for (const [i, value] of [10, 20, 30].entries()) {
    for (const layout of [
      { fragments: frames },
      { fragments: halves },
      { fragments: halves, offsets },
    ]) {
      assert.equal((await decode({ ...content, ...layout }, i + 1)).data[3], value)
    }
  }
})
