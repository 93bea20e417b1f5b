// The same picture after what people do to pictures, and pictures that are only alike.
import assert from 'node:assert/strict'
import test from 'node:test'
import sharp from 'sharp'
import { decodeImage } from '../../../src/imaging/decode.ts'
import { thumbnailOf } from '../../../src/training/dataset/inspect-image.ts'
import { findLeaks, linkedGroups } from '../../../src/training/dataset/leaks.ts'
import { nearDuplicates } from '../../../src/training/dataset/near-duplicates.ts'

const SIDE = 240

/** Smooth shapes at places that the number draws, as films of different people have them. */
async function film(number: number): Promise<Buffer> {
  const drawn = (k: number) => Math.abs(Math.sin(number * 12.9898 + k * 78.233) * 43758.5453) % 1
  const spots = Array.from({ length: 9 }, (_, k) => {
    const [x, y, r] = [drawn(k) * SIDE, drawn(k + 20) * SIDE, 14 + drawn(k + 40) * 46]
    const grey = Math.round(40 + drawn(k + 60) * 200)
    return `<ellipse cx="${x}" cy="${y}" rx="${r}" ry="${r * (0.5 + drawn(k + 80))}" fill="rgb(${grey},${grey},${grey})"/>`
  })
  const svg = `<svg width="${SIDE}" height="${SIDE}"><rect width="100%" height="100%" fill="#222"/>${spots.join('')}</svg>`
  return sharp(Buffer.from(svg)).blur(2).png().toBuffer()
}

async function thumbnail(file: Uint8Array) {
  const { pixels } = await decodeImage(file, { maxBytes: 2 ** 24, maxPixels: 10 ** 6 })
  return { blocks: thumbnailOf(pixels) }
}

const cut = Math.round(SIDE * 0.03)
const CHANGES: Readonly<Record<string, (file: Buffer) => Promise<Buffer>>> = {
  'saved again': (file) => sharp(file).jpeg({ quality: 40 }).toBuffer(),
  'made smaller': (file) =>
    sharp(file)
      .resize(SIDE / 2)
      .png()
      .toBuffer(),
  brighter: (file) => sharp(file).modulate({ brightness: 1.15 }).png().toBuffer(),
  'of less contrast': (file) => sharp(file).linear(0.6, 30).png().toBuffer(),
  mirrored: (file) => sharp(file).flop().png().toBuffer(),
  'cropped by 3 %': (file) =>
    sharp(file)
      .extract({ left: cut, top: cut, width: SIDE - 2 * cut, height: SIDE - 2 * cut })
      .png()
      .toBuffer(),
  'turned by 3 degrees': (file) => sharp(file).rotate(3, { background: '#222' }).png().toBuffer(),
}

const films = await Promise.all(Array.from({ length: 12 }, (_, n) => film(n)))
const thumbnails = await Promise.all(films.map(thumbnail))

test('different pictures are no duplicates, and neither are pictures of one grey', () => {
  const flat = [20, 20, 90].map((grey) => ({ blocks: new Uint8Array(32 * 32).fill(grey) }))
  assert.deepEqual(nearDuplicates([...thumbnails, ...flat]), [])
})

for (const [name, change] of Object.entries(CHANGES)) {
  test(`a picture that is ${name} is the same picture`, async () => {
    const changed = await Promise.all(films.map(async (file) => thumbnail(await change(file))))
    assert.deepEqual(
      nearDuplicates([...thumbnails, ...changed]),
      films.map((_, n) => [n, n + films.length]),
    )
  })
}

test('images are linked through patients and near duplicates alike, and the reported side keeps them', () => {
  const items = [
    { group: 'p1', given: 'train' as const },
    { group: 'p1', given: 'train' as const },
    { group: 'p2', given: 'test' as const },
    { group: null, given: 'validation' as const },
    { group: null, given: 'train' as const },
    { group: 'p2', given: null },
  ]
  const groups = linkedGroups(items, [[1, 3]])
  assert.deepEqual(groups, ['p1', 'p1', 'p2', 'p1', null, 'p2'])
  assert.deepEqual(
    findLeaks(items, groups).map(({ index }) => index),
    [0, 1, 5],
  )
  assert.match(findLeaks(items, groups)[0]?.reason ?? '', /Almost the same image .* validation/)
  assert.match(findLeaks(items, groups)[2]?.reason ?? '', /same patient .* test/)
})
