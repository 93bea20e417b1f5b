import assert from 'node:assert/strict'
import test from 'node:test'
import sharp from 'sharp'
import { heatmapPng, levels } from '../../src/imaging/heatmap.ts'

const one = (grid: number[], gridWidth: number) => ({
  grid: Float32Array.from(grid),
  gridWidth,
  gridHeight: grid.length / gridWidth,
})

test('the overlay has exactly the size of the image and is transparent where there is no evidence', async () => {
  const request = { ...one([0, 0, 0, 1], 2), scale: 1, width: 301, height: 203 }
  const { data, info } = await sharp(heatmapPng(request))
    .raw()
    .toBuffer({ resolveWithObject: true })
  assert.deepEqual([info.width, info.height, info.channels], [301, 203, 4])
  assert.equal(data[3], 0, 'top left')
  assert.equal(data.at(-1), 210, 'bottom right')
})

test('the scale is absolute: half the evidence is half the level, never stretched', () => {
  const at = (value: number) => levels({ ...one([value], 1), scale: 2, width: 1, height: 1 })[0]
  assert.equal(at(1), Math.round(255 / 2))
  assert.equal(at(2), 255)
  assert.equal(at(9), 255)
  assert.equal(at(-3), 0)
})

test('cells are interpolated between their centres', () => {
  const got = levels({ ...one([0, 1], 2), scale: 1, width: 8, height: 1 })
  // Pixel x lies at (x + 0.5) / 4 - 0.5 cells.
  const expected = [0, 0, 1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1].map((share) => Math.round(share * 255))
  assert.deepEqual([...got], expected)
})

test('with crop the cut-off parts of the image are transparent', () => {
  const rule = { width: 4, height: 4, aspect: 'crop' } as const
  const got = levels({ ...one([1], 1), scale: 1, width: 8, height: 4, rule })
  assert.deepEqual([...got.subarray(0, 8)], [0, 0, 255, 255, 255, 255, 0, 0])
})

test('with pad the map of the borders does not reach into the image', () => {
  // A 4 x 4 input that holds an 8 x 4 image in its rows 1 and 2; each input row is a grid row.
  const rule = { width: 4, height: 4, aspect: 'pad' } as const
  const rows = [9, 0, 1, 9].flatMap((value) => [value, value, value, value])
  const got = levels({ ...one(rows, 4), scale: 1, width: 8, height: 4, rule })
  const column = [0, 1, 2, 3].map((y) => got[y * 8])
  // Image row y lies at input row 1 + (y + 0.5) / 2, so at grid position 0.75, 1.25, 1.75, 2.25.
  assert.deepEqual(column, [255, Math.round(255 / 4), Math.round((255 * 3) / 4), 255])
})
