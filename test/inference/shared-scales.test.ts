// Two maps drawn beside each other: one colour means one amount of evidence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MapScale, sharedScales } from '../../src/inference/shared-scales.ts'

const map = (change: Partial<MapScale>): MapScale => ({
  method: 'gradcam',
  width: 8,
  height: 8,
  scale: 2,
  temperature: 1,
  ...change,
})

test('maps of one grid and temperature are drawn at the larger of their scales', () => {
  assert.deepEqual(sharedScales(map({ scale: 2 }), map({ scale: 5 })), { a: 5, b: 5 })
})

test('a finer grid spreads the same evidence over more cells, so its values count for more', () => {
  const coarse = map({ width: 4, height: 4, scale: 1 })
  const fine = map({ width: 8, height: 8, scale: 1 })
  // One unit of the fine map stands for four of the coarse one: 64 cells against 16.
  assert.deepEqual(sharedScales(coarse, fine), { a: 64 / 16, b: 1 })
})

test('a temperature divides the evidence as it divides the logits', () => {
  const shared = sharedScales(map({ scale: 3 }), map({ scale: 3, temperature: 1.5 }))
  assert.deepEqual(shared, { a: 3, b: 3 * 1.5 })
})

test('occlusion is measured in probability, whatever the grid', () => {
  const a = map({ method: 'occlusion', width: 4, height: 4, scale: 0.5 })
  const b = map({ method: 'occlusion', width: 9, height: 9, scale: 0.25 })
  assert.deepEqual(sharedScales(a, b), { a: 0.5, b: 0.5 })
})
