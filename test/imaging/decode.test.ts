import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import sharp from 'sharp'
import { AppError } from '../../src/errors.ts'
import { decodeImage } from '../../src/imaging/decode.ts'
import { keptPng, webpPreview } from '../../src/imaging/rendition.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

const LIMITS = { maxBytes: 64 * 1024 * 1024, maxPixels: 100_000_000 }

const decode = (bytes: Uint8Array) => decodeImage(bytes, LIMITS)

/** Asserts that decoding fails with that code and a sentence without path. */
async function refuses(bytes: Uint8Array, code: string, words?: RegExp): Promise<void> {
  await assert.rejects(decode(bytes), (error) => {
    assert.ok(error instanceof AppError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, /^[A-Z].*\.$/)
    assert.doesNotMatch(error.message, /\/work|\.ts|vips/)
    if (words) assert.match(error.message, words)
    return true
  })
}

/** 256 x 256 values that are each of 0..65535 once. */
const RAMP = Uint16Array.from({ length: 65536 }, (_, i) => i)

test('a 16-bit ramp of every value 0..65535 survives PNG and TIFF and the kept copy unchanged', async () => {
  const ramp = () =>
    sharp(RAMP, { raw: { width: 256, height: 256, channels: 1 } }).toColourspace('grey16')
  for (const file of [
    await ramp().png().toBuffer(),
    await ramp().tiff({ compression: 'lzw' }).toBuffer(),
  ]) {
    const { pixels } = await decode(file)
    assert.equal(pixels.maxValue, 65535)
    assert.equal(pixels.channels, 1)
    assert.deepEqual(pixels.data, RAMP)
    assert.deepEqual((await decode(await keptPng(pixels))).pixels.data, RAMP)
  }
})

test('16-bit colour stays 16-bit', async () => {
  const colour = Uint16Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 5003) % 65536)
  const raw = { width: 64, height: 64, channels: 3 } as const
  const file = await sharp(colour, { raw }).toColourspace('rgb16').png().toBuffer()
  const { pixels } = await decode(file)
  assert.deepEqual(pixels.data, colour)
  assert.deepEqual((await decode(await keptPng(pixels))).pixels.data, colour)
})

test('EXIF orientation is applied, and the kept copy and preview carry no EXIF', async () => {
  const raw = { width: 2, height: 1, channels: 1 } as const
  const file = await sharp(Uint8Array.of(0, 200), { raw })
    .withExif({ IFD0: { ImageDescription: 'CANARY-EXIF-PATIENT' } })
    .withMetadata({ orientation: 6 })
    .tiff({ compression: 'none' })
    .toBuffer()
  const { pixels } = await decode(file)
  // Orientation 6: the stored left column is the top row.
  assert.deepEqual([pixels.width, pixels.height, ...pixels.data], [1, 2, 0, 200])
  for (const bytes of [await keptPng(pixels), await webpPreview(pixels, 64)]) {
    const metadata = await sharp(bytes).metadata()
    assert.equal(metadata.exif, undefined)
    assert.equal(metadata.orientation, undefined)
    assert.deepEqual([metadata.width, metadata.height], [1, 2])
  }
})

test('transparency is laid on black', async () => {
  const raw = { width: 2, height: 1, channels: 4 } as const
  const file = await sharp(Uint8Array.of(200, 100, 50, 255, 200, 100, 50, 0), { raw })
    .png()
    .toBuffer()
  assert.deepEqual([...(await decode(file)).pixels.data], [200, 100, 50, 0, 0, 0])
})

test('grey that is stored as RGB is read as grey', async () => {
  const raw = { width: 2, height: 1, channels: 3 } as const
  const file = await sharp(Uint8Array.of(9, 9, 9, 200, 200, 200), { raw })
    .png()
    .toBuffer()
  const { pixels } = await decode(file)
  assert.deepEqual([pixels.channels, ...pixels.data], [1, 9, 200])
})

test('an animated WebP is read as its first frame, with a warning', async () => {
  const raw = { width: 4, height: 8, channels: 3, pageHeight: 4 } as const
  const frames = Uint8Array.from({ length: 4 * 8 * 3 }, (_, i) => (i < 48 ? 250 : 5))
  const file = await sharp(frames, { raw }).webp({ lossless: true }).toBuffer()
  const { pixels, warnings } = await decode(file)
  assert.deepEqual([pixels.width, pixels.height, pixels.data[0]], [4, 4, 250])
  assert.match(warnings.join(), /2 pages or frames; only the first/)
})

test('12 bits in 16 are pointed out', async () => {
  const dark = Uint16Array.from({ length: 64 }, (_, i) => i * 60)
  const raw = { width: 8, height: 8, channels: 1 } as const
  const file = await sharp(dark, { raw }).toColourspace('grey16').png().toBuffer()
  assert.match((await decode(file)).warnings.join(), /uses only 12/)
})

test('floating-point TIFF is refused, because its black and white are not defined', async () => {
  const raw = { width: 4, height: 4, channels: 3 } as const
  const image = sharp(
    new Uint8Array(48).map((_, i) => i),
    { raw },
  )
  const file = await image.toColourspace('scrgb').tiff({ compression: 'none' }).toBuffer()
  assert.equal((await sharp(file).metadata()).depth, 'float')
  await refuses(file, 'unsupported-image', /floating-point/)
})

test('what is not supported is refused with 415 and called by its name', async () => {
  const name = async (bytes: string | Uint8Array, words: RegExp) =>
    refuses(Buffer.from(bytes as string, 'latin1'), 'unsupported-image', words)
  await name('GIF89a......................', /a GIF/)
  await name('BM..........................', /a BMP/)
  await name('%PDF-1.7 ...................', /a PDF/)
  await name('PK\x03\x04..........', /ZIP/)
  await name('\x00\x00\x00\x18ftypheic\x00\x00', /HEIF/)
  await name('\x00\x00\x00\x18ftypavif\x00\x00', /AVIF/)
  await name('<?xml version="1.0"?><!-- a --><svg xmlns="x"></svg>', /SVG/)
  await name('<!DOCTYPE html><title>x</title>', /HTML/)
  await name('just some words', /a text file/)
  await name('\x01\x02\x03\x04\xff\xfe', /not a supported image/)
})

test('DICOM is recognised with preamble, with a TIFF for a preamble, and bare', async () => {
  const dicom = (bytes: string) =>
    refuses(Buffer.from(bytes, 'latin1'), 'undecodable-image', /DICOM/)
  await dicom(`${'\x00'.repeat(128)}DICM....`)
  await dicom(`II\x2a\x00${'\x00'.repeat(124)}DICM....`)
  await dicom('\x08\x00\x05\x00CS\x0a\x00ISO_IR 1')
})

test('an empty, a cut and a damaged file are refused with 422', async () => {
  const noise = Uint8Array.from({ length: 128 * 128 }, (_, i) => (i * i * 31) % 251)
  const image = sharp(noise, { raw: { width: 128, height: 128, channels: 1 } })
  await refuses(new Uint8Array(0), 'undecodable-image', /empty/)
  for (const file of [
    await image.jpeg().toBuffer(),
    await image.png().toBuffer(),
    await image.webp().toBuffer(),
    await image.tiff().toBuffer(),
  ]) {
    await decode(file)
    await refuses(file.subarray(0, file.length * 0.6), 'undecodable-image')
    await refuses(file.subarray(0, 20), 'undecodable-image')
  }
})

test('too many bytes and too many pixels are refused with 413 before decoding', async () => {
  const raw = { width: 40, height: 30, channels: 1 } as const
  const file = await sharp(new Uint8Array(1200), { raw }).png().toBuffer()
  const rejectsWith = (limits: Partial<typeof LIMITS>, code: string) =>
    assert.rejects(decodeImage(file, { ...LIMITS, ...limits }), { code, status: 413 })
  await rejectsWith({ maxBytes: file.length - 1 }, 'upload-too-large')
  await rejectsWith({ maxPixels: 1199 }, 'too-many-pixels')
  await decodeImage(file, { maxBytes: file.length, maxPixels: 1200 })
})

const NASTY = 'data/nasty-images'
test('every nasty image is decoded or refused with 4xx, and no EXIF text survives', {
  skip: skipWithout(NASTY),
}, async () => {
  const folder = sharedPath(NASTY) as string
  const outcomes: Record<string, string> = {}
  for (const name of readdirSync(folder)) {
    if (/README|SHA256SUMS|index\.csv/.test(name)) continue
    try {
      const { pixels, format } = await decode(readFileSync(join(folder, name)))
      assert.equal(pixels.data.length, pixels.width * pixels.height * pixels.channels)
      for (const bytes of [await keptPng(pixels), await webpPreview(pixels, 256)]) {
        assert.ok(!Buffer.from(bytes).includes('CANARY'), name)
      }
      outcomes[name] = `${format} ${pixels.width}x${pixels.height}`
    } catch (error) {
      assert.ok(error instanceof AppError && error.status >= 400 && error.status < 500, name)
      outcomes[name] = error.code
    }
  }
  const expected = {
    'chest-exif-rotated-canary.jpg': 'jpeg 256x256',
    'orientation_rectangle.jpg': 'jpeg 1x2',
    'pil_sample_cmyk.jpg': 'jpeg 100x100',
    'tiff_16bit_RGB.tiff': 'tiff 100x40',
    'multipage.tiff': 'tiff 10x10',
    'iss634.webp': 'webp 245x245',
    'junk_jpeg_header.jpg': 'jpeg 1024x768',
    'chest-plus-trailing-html.jpg': 'jpeg 320x320',
    'aspect-4000x3.png': 'png 4000x3',
    'one-pixel.png': 'png 1x1',
    'bomb-30000x30000-1bit.png': 'too-many-pixels',
    'ihdr-lies-65000x65000.png': 'too-many-pixels',
    'chest-cut-at-50-percent.jpg': 'undecodable-image',
    'chest-cut-at-70-percent.png': 'undecodable-image',
    'ultrahdr.jpg': 'undecodable-image',
    'zero-byte.jpg': 'undecodable-image',
    'svg-script.svg': 'unsupported-image',
    'html-renamed.png': 'unsupported-image',
    'chi.gif': 'unsupported-image',
  }
  for (const [name, outcome] of Object.entries(expected))
    assert.equal(outcomes[name], outcome, name)
})
