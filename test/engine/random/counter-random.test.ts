// Counter-based randomness: reproducible, independent of the order of drawing, and evenly spread.
import assert from 'node:assert/strict'
import test from 'node:test'
import { shuffledIndices, uniformAt, uniforms } from '../../../src/engine/random/counter-random.ts'

test('a draw depends on seed and counters only', () => {
  assert.equal(uniformAt(7, 3, 5), uniformAt(7, 3, 5))
  const draws = [uniformAt(7, 3, 5), uniformAt(7, 5, 3), uniformAt(8, 3, 5), uniformAt(7, 3, 5, 0)]
  assert.equal(new Set(draws).size, 4)
  assert.notEqual(uniformAt(1), uniformAt(1 + 2 ** 32))
})

test('a list holds the draws of its counters followed by the index', () => {
  const list = uniforms(5, 42, 9)
  for (const [i, draw] of list.entries()) {
    assert.ok(Math.abs(draw - uniformAt(42, 9, i)) <= 2 ** -24)
  }
})

test('draws are in [0, 1), evenly spread and not correlated between neighbours', () => {
  const n = 100_000
  const list = uniforms(n, 1, 2)
  const mean = list.reduce((sum, draw) => sum + draw, 0) / n
  assert.ok(list.every((draw) => draw >= 0 && draw < 1))
  assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 12 / n))
  let product = 0
  for (let i = 1; i < n; i++) product += ((list[i] ?? 0) - 0.5) * ((list[i - 1] ?? 0) - 0.5)
  assert.ok(Math.abs(product / n) < 4 / 12 / Math.sqrt(n))
  const bins = new Array<number>(16).fill(0)
  for (const draw of list) bins[Math.floor(draw * 16)] = (bins[Math.floor(draw * 16)] ?? 0) + 1
  for (const count of bins) assert.ok(Math.abs(count - n / 16) < 5 * Math.sqrt(n / 16))
})

test('a shuffle holds every index once, and differs between epochs', () => {
  const one = shuffledIndices(100, 5, 1)
  assert.deepEqual(
    [...one].sort((a, b) => a - b),
    [...Array(100).keys()],
  )
  assert.deepEqual(shuffledIndices(100, 5, 1), one)
  assert.notDeepEqual(shuffledIndices(100, 5, 2), one)
})
