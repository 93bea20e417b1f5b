// Numbers of paired comparisons against values worked out by hand or taken from the literature.
import assert from 'node:assert/strict'
import test from 'node:test'
import { cohenKappa, mcnemar, twoSidedP } from '../../src/statistics/paired-statistics.ts'

const near = (actual: number | null, expected: number, tolerance = 1e-6): void =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < tolerance, `${actual} is not ${expected}`)

test('below 25 discordant pairs McNemar is exact, with its mid-p', () => {
  const { method, p, midP } = mcnemar({ b: 15, c: 5 })
  assert.equal(method, 'exact')
  near(p, 0.0413895)
  near(midP, 0.0266037)
})

test('from 25 discordant pairs on McNemar is chi-square with continuity correction', () => {
  const { method, p, midP } = mcnemar({ b: 30, c: 10 })
  assert.equal(method, 'chi-square')
  // (|30 - 10| - 1)^2 / 40 = 9.025
  near(p, 0.002663, 1e-6)
  assert.equal(midP, null)
})

test('without a difference McNemar says 1', () => {
  assert.deepEqual(mcnemar({ b: 0, c: 0 }), { b: 0, c: 0, method: 'exact', p: 1, midP: 1 })
  assert.equal(mcnemar({ b: 6, c: 6 }).p, 1)
  assert.equal(mcnemar({ b: 20, c: 20 }).p, 1)
})

test('kappa is agreement beyond chance', () => {
  // Cohen's table of 20, 5, 10, 15: po = 35/50, pe = (25 * 30 + 25 * 20) / 2500
  const pairs = [
    { a: 'yes', b: 'yes', n: 20 },
    { a: 'yes', b: 'no', n: 5 },
    { a: 'no', b: 'yes', n: 10 },
    { a: 'no', b: 'no', n: 15 },
  ]
  near(cohenKappa(pairs), (35 / 50 - 0.5) / (1 - 0.5))
  assert.equal(cohenKappa([]), null)
  assert.equal(cohenKappa([{ a: 'yes', b: 'yes', n: 9 }]), null, 'chance alone agrees always')
})

test('the normal tail is right near zero, at the usual limits and far out', () => {
  near(twoSidedP(0), 1, 1e-15)
  near(twoSidedP(1.959963984540054), 0.05, 1e-12)
  near(twoSidedP(3.2905267314918945), 0.001, 1e-12)
  near(twoSidedP(4), 6.334248366623973e-5, 1e-15)
})
