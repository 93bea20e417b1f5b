import assert from 'node:assert/strict'
import test from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { AppError, type ErrorCode } from '../../src/errors.ts'
import { decodeImage } from '../../src/imaging/decode.ts'
import { codestream, losslessJpeg, rle } from '../support/dicom/coded-frames.ts'
import {
  type Attribute,
  type DicomContent,
  deep,
  dicomFile,
  image,
  SYNTAX,
} from '../support/dicom/dicom-file.ts'

const LIMITS = { maxBytes: 2 ** 26, maxPixels: 10 ** 8 }
const SMALL = { width: 16, height: 16 }
const VALUES = Uint8Array.from({ length: 256 }, (_, i) => i)

async function refuses(
  file: DicomContent | Uint8Array,
  { code, words }: { code: ErrorCode; words: RegExp },
): Promise<void> {
  const bytes = file instanceof Uint8Array ? file : dicomFile(file)
  const before = process.memoryUsage().arrayBuffers
  await assert.rejects(decodeImage(bytes, LIMITS), (error) => {
    assert.ok(error instanceof AppError, String(error))
    assert.deepEqual([error.code, error.cause], [code, undefined])
    assert.match(error.message, words)
    assert.match(error.message, /^[A-Z].*\.$/)
    assert.doesNotMatch(error.message, /CANARY|dicomParser|\.ts/)
    return true
  })
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 600 * 1024 * 1024, `${grown} bytes`)
}

const damaged = (words: RegExp) => ({ code: 'undecodable-image', words }) as const
const unsupported = (words: RegExp) => ({ code: 'unsupported-image', words }) as const

test('a transfer syntax that is not read is refused by its name', async () => {
  const attributes = image(SMALL)
  const named = async (syntax: string, words: RegExp) =>
    refuses({ syntax, attributes, fragments: [VALUES] }, unsupported(words))
  await named('1.2.840.10008.1.2.4.102', /MPEG-4 video \(1\.2\.840\.10008\.1\.2\.4\.102\)/)
  await named('1.2.840.10008.1.2.4.107', /HEVC/)
  await named('1.2.840.10008.1.2.4.110', /JPEG XL/)
  await named('1.2.840.10008.1.2.4.94', /JPIP/)
  await named('1.2.840.10008.1.2.4.55', /retired JPEG/)
  await named('1.2.840.10008.1.2.4.999', /an unknown one \(1\.2/)
  await named('1.2.3.CANARY', /a private one, is not supported/)
})

test('headers that lie about size are refused before anything is allocated', async () => {
  const huge = { width: 60_000, height: 60_000 }
  const lie = { attributes: image(huge), pixels: VALUES }
  await refuses(lie, { code: 'too-many-pixels', words: /60000 x 60000/ })
  await refuses(
    { attributes: image({ width: 9000, height: 9000 }), pixels: VALUES },
    damaged(/cut off/),
  )
  await refuses({ attributes: image({ width: 0, height: 5 }), pixels: VALUES }, damaged(/no size/))
  const large = image({ width: 9000, height: 9000 })
  const pixels = { ...SMALL, values: VALUES }
  const jpeg = losslessJpeg(pixels, { precision: 8, predictor: 1 })
  const lossless = { syntax: SYNTAX.jpegLossless, attributes: large, fragments: [jpeg] }
  await refuses(lossless, damaged(/9000 x 9000 .* 16 x 16/))
  await refuses({ ...lossless, syntax: SYNTAX.rle, fragments: [rle([VALUES])] }, damaged(/cut off/))
  for (const kind of ['jpeg-ls', 'jpeg-2000', 'htj2k'] as const) {
    const coded = await codestream(kind, { ...pixels, bits: 8 })
    const syntax = { 'jpeg-ls': SYNTAX.jpegLs, 'jpeg-2000': SYNTAX.jpeg2000, htj2k: SYNTAX.htj2k }
    const content = { syntax: syntax[kind], attributes: large, fragments: [coded] }
    await refuses(content, damaged(/9000 x 9000/))
  }
})

test('a codestream that lies about its size is refused as its file is', async () => {
  const coded = await codestream('jpeg-2000', { ...SMALL, values: VALUES, bits: 8 })
  const at = coded.indexOf(Buffer.of(0xff, 0x51))
  coded.writeUInt32BE(9000, at + 6)
  coded.writeUInt32BE(9000, at + 10)
  coded.writeUInt32BE(1, at + 22)
  coded.writeUInt32BE(1, at + 26)
  const attributes = image({ width: 9000, height: 9000 })
  await refuses({ syntax: SYNTAX.jpeg2000, attributes, fragments: [coded] }, damaged(/damaged/))
})

test('a deflated bomb ends at a limit', async () => {
  const bomb = deflateRawSync(Buffer.alloc(600 * 1024 * 1024))
  const head = dicomFile({ syntax: SYNTAX.deflated, attributes: [] })
  const file = Buffer.concat([head.subarray(0, head.length - 2), bomb])
  await refuses(file, { code: 'upload-too-large', words: /512 MiB/ })
  const garbage = Buffer.concat([head.subarray(0, head.length - 2), Buffer.alloc(99, 0xff)])
  await refuses(garbage, damaged(/cut off or damaged/))
})

test('a file that is cut anywhere is refused, never half read', async () => {
  const jpeg = losslessJpeg({ ...SMALL, values: VALUES }, { precision: 8, predictor: 4 })
  const files = [
    dicomFile({ attributes: image(SMALL), pixels: VALUES }),
    dicomFile({ syntax: SYNTAX.implicit, attributes: image(SMALL), pixels: VALUES }),
    dicomFile({ syntax: SYNTAX.jpegLossless, attributes: image(SMALL), fragments: [jpeg] }),
    dicomFile({ syntax: SYNTAX.rle, attributes: image(SMALL), fragments: [rle([VALUES])] }),
  ]
  for (const file of files) {
    await decodeImage(file, LIMITS)
    // The last twelve bytes may be padding and the end of the sequence.
    for (let length = 132; length < file.length - 12; length += 3) {
      await assert.rejects(decodeImage(file.subarray(0, length), LIMITS), (error) => {
        return error instanceof AppError && (error.status === 422 || error.status === 415)
      })
    }
  }
})

test('sequences nested a hundred thousand deep end in a sentence, not in a crash', async () => {
  const level = Buffer.from('080040115351'.concat('0000ffffffff', 'feff00e0ffffffff'), 'hex')
  const deepest = Buffer.concat(Array.from({ length: 100_000 }, () => level))
  const head = dicomFile({ attributes: [] })
  await refuses(Buffer.concat([head, deepest]), damaged(/damaged/))
})

test('a header of half a million elements is not walked to its end', async () => {
  const tiny = Buffer.from('0900101041530000', 'hex')
  const bytes = dicomFile({ attributes: image(SMALL), pixels: VALUES })
  const at = bytes.indexOf(Buffer.from('e07f1000', 'hex'))
  const many = Buffer.alloc(500_000 * tiny.length, tiny)
  const file = Buffer.concat([bytes.subarray(0, at), many, bytes.subarray(at)])
  await refuses(file, damaged(/damaged before its pixels/))
})

test('contradictions about bits, colours and compression are refused', async () => {
  const odd = async (tags: Parameters<typeof image>[1], expected: Parameters<typeof refuses>[1]) =>
    refuses({ attributes: image(SMALL, tags), pixels: VALUES }, expected)
  await odd({ '00280101': ['US', [12]] }, damaged(/bits/))
  await odd({ '00280102': ['US', [9]] }, damaged(/bits/))
  await odd({ '00280100': ['US', [32]] }, unsupported(/32 bits/))
  await odd({ '00280002': ['US', [3]] }, damaged(/colours/))
  await odd({ '00280004': ['CS', 'RGB'] }, damaged(/colours/))
  await odd({ '00280004': ['CS', 'PALETTE COLOR'] }, unsupported(/palette/))
  await odd({ '00280004': ['CS', 'JOHN^DOE CANARY'] }, unsupported(/photometric/))
  const plain = { attributes: image(SMALL), pixels: VALUES }
  await refuses({ ...plain, syntax: SYNTAX.jpegLs }, damaged(/whether its pixels are compressed/))
  const coded = { attributes: image(SMALL), fragments: [VALUES] }
  await refuses(coded, damaged(/whether its pixels are compressed/))
})

test('a file without a picture says so', async () => {
  const report: Attribute[] = [['00080060', 'CS', 'SR']]
  await refuses({ attributes: report }, unsupported(/no picture/))
  const floats: Attribute[] = [...image(SMALL), ['7fe00008', 'OW', new Uint8Array(1024)]]
  await refuses({ attributes: floats }, unsupported(/floating-point/))
})

test('damaged compressed data is refused, and the decoder goes on working', async () => {
  const noise = Uint8Array.from({ length: 2000 }, (_, i) => (i * 7919) % 251)
  const attributes = image({ width: 40, height: 50 }, deep(8))
  for (const [kind, syntax] of [
    ['jpeg-ls', SYNTAX.jpegLs],
    ['jpeg-2000', SYNTAX.jpeg2000],
    ['htj2k', SYNTAX.htj2k],
  ] as const) {
    const coded = await codestream(kind, { width: 40, height: 50, values: noise, bits: 8 })
    const good = { syntax, attributes: image({ width: 40, height: 50 }), fragments: [coded] }
    await decodeImage(dicomFile(good), LIMITS)
    const cut = { ...good, attributes, fragments: [coded.subarray(0, 60)] }
    await refuses(cut, damaged(/damaged|cut off|contradicts/))
    await decodeImage(dicomFile(good), LIMITS)
  }
})
