// Every real file of ../shared/data/dicom: equal to what pydicom and Pillow made of it, or a sentence.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { AppError, type ErrorCode } from '../../src/errors.ts'
import { decodeImage } from '../../src/imaging/decode.ts'
import type { DecodedImage } from '../../src/imaging/pixels.ts'
import {
  difference,
  levelsOf,
  readLevels,
  reduced,
  stretched,
} from '../support/dicom/grey-levels.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

const FOLDER = 'data/dicom'
const LIMITS = { maxBytes: 64 * 1024 * 1024, maxPixels: 100_000_000 }
const skip = skipWithout(FOLDER)
const folder = sharedPath(FOLDER) ?? ''

const REFUSED: Readonly<Record<string, ErrorCode>> = {
  'MR_truncated.dcm': 'undecodable-image',
  'badVR.dcm': 'unsupported-image',
  'made_nih_cut_at_60_percent.dcm': 'undecodable-image',
  'made_nih_rows_lie_60000.dcm': 'too-many-pixels',
  'meta_missing_tsyntax.dcm': 'undecodable-image',
  // Begins with a stray byte, so that nothing in it is where DICOM has it.
  'no_meta.dcm': 'unsupported-image',
  'rtplan.dcm': 'unsupported-image',
  'test-SR.dcm': 'unsupported-image',
}
/** Without window, 0..238: expected/ draws them out to 0..255, which the must-be-equal group contradicts. */
const DRAWN_OUT = /^made_nih_(mono1_8bit|mono2_8bit_nowindow|phi_canary)\.dcm$/
/** Kept smaller in expected/, by a filter that is not told. */
const DOWNSIZED = /^RG[13]_J2KI\.dcm$/
/** pydicom 2.3.1 took bits above those stored for part of the value; 3.0.2 does not. */
const UNMASKED = 'mlut_18.dcm'

function decode(file: string, frame?: number): Promise<DecodedImage> {
  return decodeImage(readFileSync(join(folder, file)), { ...LIMITS, frame })
}

test('every real file is its expected picture within one grey level, or refused', {
  skip,
}, async () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.dcm'))
  assert.ok(files.length >= 44)
  for (const file of files) {
    const code = REFUSED[file]
    if (code) {
      await assert.rejects(
        decode(file),
        (error) => error instanceof AppError && error.code === code,
      )
      continue
    }
    const image = await decode(file)
    assert.equal(image.format, 'dicom')
    const expected = join(folder, 'expected', file.replace('.dcm', '.png'))
    if (!existsSync(expected) || file === UNMASKED) continue
    const wanted = await readLevels(expected, image.pixels.channels)
    const levels = await reduced(levelsOf(image.pixels), wanted)
    const { most, mean } = difference(DRAWN_OUT.test(file) ? stretched(levels) : levels, wanted)
    if (DOWNSIZED.test(file)) assert.ok(mean < 0.7, `${file}: ${mean}`)
    else assert.ok(most <= 1, `${file}: ${most}`)
  }
})

test('files that hold the same picture give the same pixels', { skip }, async () => {
  const groups = [
    readdirSync(folder).filter((name) => /^MR_small.*\.dcm$/.test(name)),
    ['made_nih_mono1_8bit.dcm', 'made_nih_mono2_8bit_nowindow.dcm', 'made_nih_phi_canary.dcm'],
    ['made_rg3_mono1_10bit_implicit_window.dcm', 'made_rg3_mono1_10bit_deflated.dcm'],
    ['SC_rgb_rle.dcm', 'SC_rgb_jpeg_gdcm.dcm'],
  ]
  for (const [first = '', ...others] of groups) {
    const { pixels } = await decode(first)
    for (const other of others) {
      assert.deepEqual(
        Buffer.from((await decode(other)).pixels.data),
        Buffer.from(pixels.data),
        other,
      )
    }
  }
  const plain = levelsOf((await decode('made_nih_mono2_8bit_nowindow.dcm')).pixels)
  const windowed = levelsOf((await decode('made_nih_mono2_16bit_slope_window.dcm')).pixels)
  assert.ok(difference(plain, windowed).most <= 1)
  const rg3 = levelsOf((await decode('made_rg3_mono1_10bit_bigendian.dcm')).pixels)
  const same = levelsOf((await decode('made_rg3_mono1_10bit_deflated.dcm')).pixels)
  assert.ok(difference(rg3, same).most <= 12)
})

test('bits above those stored are left out of a real file too', { skip }, async () => {
  const { pixels } = await decode(UNMASKED)
  // Stored 0x0fff is -1 in twelve bits and 0x03ff is 1023; what the table makes of them is that of pydicom 3.0.2.
  assert.deepEqual([pixels.data[0], pixels.data[8 * 32]], [32759, 49147])
})

test('each frame of a real multi-frame file can be chosen', { skip }, async () => {
  const frames = [1, 2, 30].map((frame) => decode('examples_ybr_color.dcm', frame))
  const [first, second, last] = (await Promise.all(frames)).map(({ pixels }) => pixels.data)
  assert.notDeepEqual(first, second)
  assert.notDeepEqual(second, last)
  await assert.rejects(decode('examples_ybr_color.dcm', 31), { code: 'invalid' })
  assert.equal((await decode('emri_small.dcm', 10)).pixels.width, 64)
})
