// The arithmetic of eight bits: scales, zero points, weights and biases as stored numbers.
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  activationScale,
  leastScalesFor,
  quantiseBias,
  quantiseWeights,
} from '../../../src/engine/quantisation/eight-bits.ts'
import { RANGE_RULES } from '../../../src/engine/quantisation/measure-ranges.ts'

test('each output channel has its own scale: its largest weight over 127', () => {
  // Two filters of 1 x 1 x 2: [1.27, -0.5] and [0.02, 0.254].
  const weights = Float32Array.of(1.27, -0.5, 0.02, 0.254)
  const { data, scales } = quantiseWeights(weights, { dims: [2, 2, 1, 1], axis: 0 })
  assert.deepEqual([...scales], [Math.fround(1.27 / 127), Math.fround(0.254 / 127)])
  assert.deepEqual([...data], [127, -50, 10, 127])
})

test('the channels of a matrix are its columns when they are its last axis', () => {
  const weights = Float32Array.of(1, 10, -2, 5, 0.5, -20) // [3, 2]
  const { data, scales } = quantiseWeights(weights, { dims: [3, 2], axis: 1 })
  assert.deepEqual([...scales], [Math.fround(2 / 127), Math.fround(20 / 127)])
  assert.deepEqual([...data], [64, 64, -127, 32, 32, -127])
})

test('a channel of zeros has a scale that can be divided by', () => {
  const { data, scales } = quantiseWeights(new Float32Array(4), { dims: [2, 2], axis: 0 })
  assert.deepEqual([...scales], [1, 1])
  assert.deepEqual([...data], [0, 0, 0, 0])
})

test('zero is always one of the stored values of an activation', () => {
  assert.deepEqual(activationScale({ min: 0, max: 2.55 }), {
    scale: Math.fround(2.55 / 255),
    zeroPoint: 0,
  })
  // From -1 to 1.55 in 255 steps of 0.01: zero is step 100.
  assert.equal(activationScale({ min: -1, max: 1.55 }).zeroPoint, 100)
  assert.equal(activationScale({ min: 3, max: 5 }).zeroPoint, 0, 'a range above zero begins at 0')
  assert.equal(activationScale({ min: -5, max: -3 }).zeroPoint, 255)
  assert.deepEqual(activationScale({ min: 0, max: 0 }), { scale: 1, zeroPoint: 0 })
})

test('a bias is stored in units of input scale times weight scale, and always fits into 32 bits', () => {
  const scales = Float32Array.of(0.5, 0.25)
  const bias = Float32Array.of(3, -2)
  assert.deepEqual([...quantiseBias(bias, { inputScale: 0.125, scales })], [3 * 16, -2 * 32])
  const large = Float32Array.of(1e6)
  const leastScales = leastScalesFor(large, 1e-3)
  const tiny = quantiseWeights(Float32Array.of(1e-9), { dims: [1, 1], axis: 0, leastScales })
  const [stored = 0] = quantiseBias(large, { inputScale: 1e-3, scales: tiny.scales })
  assert.ok(Math.abs(stored / 2 ** 30 - 1) < 1e-5, `${stored} is not about 2^30`)
})

test('the widest range holds all that was seen, the average one what images reach in the mean', () => {
  const seen = [
    { min: -1, max: 2 },
    { min: -3, max: 8 },
  ]
  assert.deepEqual(RANGE_RULES.widest(seen), { min: -3, max: 8 })
  assert.deepEqual(RANGE_RULES.average(seen), { min: -2, max: 5 })
})
