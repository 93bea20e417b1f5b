// The fourth sample of a TIFF is transparency only where the file says so (TIFF 6.0, ExtraSamples).
import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeImage } from '../../src/imaging/decode.ts'

const LIMITS = { maxBytes: 2 ** 20, maxPixels: 10 ** 4 }

interface TiffOptions {
  readonly samples: number
  /** ExtraSamples: 0 unspecified, 1 and 2 alpha; undefined: the tag is absent. */
  readonly extra: number | undefined
  readonly big?: boolean
}

/** One pixel, uncompressed, its samples 200, 100, 50 … and the last one 0. */
function tiff({ samples, extra, big = false }: TiffOptions): Buffer {
  const values = [200, 100, 50].slice(0, samples - 1).concat(0)
  const tags: [tag: number, type: number, values: number[]][] = [
    [256, 3, [1]],
    [257, 3, [1]],
    [258, 3, values.map(() => 8)],
    [259, 3, [1]],
    [262, 3, [samples > 2 ? 2 : 1]],
    [273, 4, [8]],
    [277, 3, [samples]],
    [278, 3, [1]],
    [279, 4, [samples]],
    ...(extra === undefined ? [] : [[338, 3, [extra]] as [number, number, number[]]]),
  ]
  const u16 = (value: number) => {
    const bytes = Buffer.alloc(2)
    if (big) bytes.writeUInt16BE(value)
    else bytes.writeUInt16LE(value)
    return bytes
  }
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4)
    if (big) bytes.writeUInt32BE(value)
    else bytes.writeUInt32LE(value)
    return bytes
  }
  const directoryAt = 8 + 4
  const dataAt = directoryAt + 2 + tags.length * 12 + 4
  const long: Buffer[] = []
  const entries = tags.map(([tag, type, list]) => {
    const data = Buffer.concat(list.map((one) => (type === 3 ? u16(one) : u32(one))))
    const at = dataAt + long.reduce((sum, one) => sum + one.length, 0)
    if (data.length > 4) long.push(data)
    const value = data.length > 4 ? u32(at) : Buffer.concat([data, Buffer.alloc(4 - data.length)])
    return Buffer.concat([u16(tag), u16(type), u32(list.length), value])
  })
  const magic = Buffer.from(big ? 'MM\x00\x2a' : 'II\x2a\x00', 'latin1')
  const pixel = Buffer.concat([Buffer.from(values), Buffer.alloc(4 - values.length)])
  return Buffer.concat([
    magic,
    u32(directoryAt),
    pixel,
    u16(tags.length),
    ...entries,
    u32(0),
    ...long,
  ])
}

test('a further sample without a meaning is left out, in either byte order', async () => {
  for (const big of [false, true]) {
    for (const extra of [0, undefined]) {
      const colour = await decodeImage(tiff({ samples: 4, extra, big }), LIMITS)
      assert.deepEqual([...colour.pixels.data], [200, 100, 50], `${big} ${extra}`)
      assert.match(colour.passport?.steps.join() ?? '', /without a meaning left out/)
      const grey = await decodeImage(tiff({ samples: 2, extra, big }), LIMITS)
      assert.deepEqual([...grey.pixels.data], [200])
    }
  }
})

test('a further sample that is transparency is laid on black', async () => {
  for (const extra of [1, 2]) {
    const { pixels, passport } = await decodeImage(tiff({ samples: 4, extra }), LIMITS)
    assert.deepEqual([...pixels.data], [0])
    assert.match(passport?.steps.join() ?? '', /transparency laid on black/)
  }
})
