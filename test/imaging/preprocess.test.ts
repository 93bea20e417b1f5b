import assert from 'node:assert/strict'
import test from 'node:test'
import type { Pixels } from '../../src/imaging/pixels.ts'
import { preprocess } from '../../src/imaging/preprocess.ts'
import type { Preprocessing } from '../../src/imaging/preprocessing.ts'

/** Grey, 13 x 9, the pattern that the reference values below were made from. */
const PATTERN = grey(13, 9, (x, y) => (x * 37 + y * 91 + x * y * 13) % 256)

const PLAIN: Preprocessing = {
  schema: 1,
  width: 4,
  height: 3,
  channels: 1,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  scale: 1,
  mean: [0],
  std: [1],
  order: 'rgb',
}

function grey(width: number, height: number, value: (x: number, y: number) => number): Pixels {
  const data = Uint8Array.from({ length: width * height }, (_, i) =>
    value(i % width, Math.floor(i / width)),
  )
  return { width, height, channels: 1, data, maxValue: 255 }
}

function close(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-4): void {
  assert.equal(actual.length, expected.length)
  expected.forEach((value, i) => {
    const difference = Math.abs((actual[i] as number) - value)
    assert.ok(difference <= tolerance, `value ${i} is ${actual[i]}, not ${value}`)
  })
}

// Pillow 12.3: Image.fromarray(float32 pattern).resize((4, 3), Image.Resampling.X), mode "F", four decimals.
const PILLOW_4X3 = {
  bilinear: [
    125.15, 137.7649, 126.0685, 121.83, 125.037, 139.6839, 135.8929, 118.2756, 149.6233, 151.2113,
    152.1935, 147.29,
  ],
  bicubic: [
    121.8991, 141.7841, 122.139, 122.3926, 124.2475, 142.7397, 136.9661, 117.1947, 147.9193, 149.79,
    151.4911, 146.2926,
  ],
  nearest: [141, 35, 235, 129, 197, 208, 52, 63, 253, 125, 125, 253],
} as const

for (const [interpolation, expected] of Object.entries(PILLOW_4X3)) {
  test(`shrinking with ${interpolation} and antialias gives what Pillow gives`, () => {
    const p = { ...PLAIN, interpolation: interpolation as keyof typeof PILLOW_4X3 }
    close(preprocess(PATTERN, p), expected)
  })
}

test('shrinking with bilinear without antialias gives what PyTorch gives', () => {
  // torch 2.13: interpolate(pattern, size=(3, 4), mode='bilinear', align_corners=False, antialias=False).
  close(
    preprocess(PATTERN, { ...PLAIN, antialias: false }),
    [147.25, 53.75, 216.25, 122.75, 176.125, 145.375, 114.625, 83.875, 237, 173, 173, 237],
  )
})

test('enlarging gives what Pillow gives, with and without antialias', () => {
  // Pillow 12.3: resize((16, 10)); the first eight values of row 0 and the last four of row 9.
  const expected = {
    bilinear: [
      0, 26.5938, 56.6562, 86.7188, 116.7812, 146.8438, 176.9062, 206.9688, 129.5312, 156.0938,
      198.6562, 116,
    ],
    bicubic: [
      -3.6154, 22.5196, 54.0802, 83.6668, 114.3741, 149.3764, 179.4062, 227.87, 119.5911, 153.4301,
      210.8646, 111.0973,
    ],
  } as const
  for (const interpolation of ['bilinear', 'bicubic'] as const) {
    for (const antialias of [true, false]) {
      const got = preprocess(PATTERN, {
        ...PLAIN,
        width: 16,
        height: 10,
        interpolation,
        antialias,
      })
      close([...got.slice(0, 8), ...got.slice(-4)], expected[interpolation])
    }
  }
})

test('area averages exactly what an output pixel covers', () => {
  const row = grey(5, 1, (x) => [10, 20, 30, 40, 50][x] as number)
  const got = preprocess(row, { ...PLAIN, width: 2, height: 1, interpolation: 'area' })
  close(got, [(10 + 20 + 30 / 2) / 2.5, (30 / 2 + 40 + 50) / 2.5])
  // Pillow 12.3: pattern cropped to 12 x 9, resize((4, 3), BOX).
  const whole = grey(12, 9, (x, y) => (x * 37 + y * 91 + x * y * 13) % 256)
  close(
    preprocess(whole, { ...PLAIN, interpolation: 'area' }),
    [
      112.5556, 148.7778, 128.1111, 107.4444, 111.6667, 151.1111, 133.6667, 116.2222, 139.2222,
      153.4444, 139.2222, 153.4444,
    ],
  )
})

test('crop takes the middle of the longer side', () => {
  // Pillow 12.3: resize((4, 4), BILINEAR, box=(2, 0, 11, 9)).
  close(
    preprocess(PATTERN, { ...PLAIN, height: 4, aspect: 'crop' }),
    [
      135.6057, 139.5728, 126.0035, 103.6971, 145.2927, 140.2219, 127.8126, 124.8244, 140.2976,
      143.4033, 144.8073, 136.7464, 155.1714, 146.8676, 151.977, 156.0629,
    ],
  )
})

test('pad keeps the aspect ratio and surrounds with black, normalised like every other value', () => {
  const white = grey(8, 2, () => 255)
  const p: Preprocessing = { ...PLAIN, width: 4, height: 4, aspect: 'pad', mean: [51], std: [204] }
  const [black, full] = [(0 - 51) / 204, (255 - 51) / 204]
  // 8 x 2 becomes 4 x 1 at row floor((4 - 1) / 2) = 1.
  const rows = [black, full, black, black].flatMap((value) => [value, value, value, value])
  close(preprocess(white, p), rows, 1e-6)
})

test('colour to grey is BT.601 luma, and grey to colour repeats', () => {
  const colour: Pixels = {
    width: 1,
    height: 1,
    channels: 3,
    data: Uint8Array.of(10, 200, 30),
    maxValue: 255,
  }
  const p = { ...PLAIN, width: 1, height: 1 }
  close(preprocess(colour, p), [0.299 * 10 + 0.587 * 200 + 0.114 * 30])
  close(
    preprocess(
      grey(1, 1, () => 77),
      { ...p, channels: 3 },
    ),
    [77, 77, 77],
  )
})

test('scale, mean, std and order are applied per output channel, as Keras does', () => {
  const colour: Pixels = {
    width: 1,
    height: 1,
    channels: 3,
    data: Uint8Array.of(10, 200, 30),
    maxValue: 255,
  }
  const p: Preprocessing = { ...PLAIN, width: 1, height: 1, channels: 3 }
  const torch = preprocess(colour, {
    ...p,
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  })
  close(
    torch,
    [(10 / 255 - 0.485) / 0.229, (200 / 255 - 0.456) / 0.224, (30 / 255 - 0.406) / 0.225],
    1e-6,
  )
  const caffe = preprocess(colour, { ...p, order: 'bgr', mean: [103.939, 116.779, 123.68] })
  close(caffe, [30 - 103.939, 200 - 116.779, 10 - 123.68], 1e-5)
  const tf = preprocess(colour, { ...p, scale: 1 / 127.5, mean: [1] })
  close(tf, [10 / 127.5 - 1, 200 / 127.5 - 1, 30 / 127.5 - 1], 1e-6)
})

test('16 bits keep steps that 8 bits would lose', () => {
  const deep: Pixels = {
    width: 2,
    height: 1,
    channels: 1,
    data: Uint16Array.of(1000, 1001),
    maxValue: 65535,
  }
  const got = preprocess(deep, { ...PLAIN, width: 2, height: 1, interpolation: 'nearest' })
  close(got, [(1000 * 255) / 65535, (1001 * 255) / 65535], 1e-6)
  assert.notEqual(got[0], got[1])
})

test('the same pixels give the same bits every time, from a single pixel to an extreme strip', () => {
  for (const [width, height] of [
    [1, 1],
    [4000, 3],
    [3, 4000],
    [1000, 700],
  ] as const) {
    const pixels = grey(width, height, (x, y) => (x * 31 + y * 17) % 256)
    for (const aspect of ['stretch', 'crop', 'pad'] as const) {
      for (const interpolation of ['nearest', 'bilinear', 'bicubic', 'area'] as const) {
        const p = { ...PLAIN, width: 32, height: 24, aspect, interpolation }
        const first = preprocess(pixels, p)
        assert.ok(first.every(Number.isFinite))
        assert.deepEqual(preprocess(pixels, p), first)
      }
    }
  }
})

test('an even picture stays even under every filter', () => {
  for (const interpolation of ['nearest', 'bilinear', 'bicubic', 'area'] as const) {
    for (const antialias of [true, false]) {
      const p = { ...PLAIN, width: 17, height: 5, interpolation, antialias }
      close(
        preprocess(
          grey(40, 23, () => 200),
          p,
        ),
        new Array(17 * 5).fill(200),
        1e-3,
      )
    }
  }
})
