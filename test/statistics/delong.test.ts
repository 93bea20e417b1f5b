// Paired areas under the curve against scikit-learn's and DeLong's figures, and against the definition.
import assert from 'node:assert/strict'
import test from 'node:test'
import { pairedAuc } from '../../src/statistics/delong.ts'
import { summarisePairs } from '../../src/statistics/paired-summary.ts'

const near = (actual: number | null | undefined, expected: number): void =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual} is not ${expected}`)

/** DeLong by its definition: every positive against every negative, covariances written out. */
function byDefinition(a: number[], b: number[], positives: boolean[]) {
  const split = (s: number[], wanted: boolean) => s.filter((_, i) => positives[i] === wanted)
  const psi = (x: number, y: number) => (x > y ? 1 : x === y ? 0.5 : 0)
  const mean = (v: number[]) => v.reduce((sum, x) => sum + x, 0) / v.length
  const covariance = (u: number[], v: number[]) =>
    u.reduce((sum, x, i) => sum + (x - mean(u)) * ((v[i] ?? 0) - mean(v)), 0) / (u.length - 1)
  const parts = [a, b].map((scores) => {
    const [above, below] = [split(scores, true), split(scores, false)]
    return {
      v10: above.map((x) => mean(below.map((y) => psi(x, y)))),
      v01: below.map((y) => mean(above.map((x) => psi(x, y)))),
    }
  })
  const [p, q] = parts as [(typeof parts)[0], (typeof parts)[0]]
  const part = (k: 'v10' | 'v01') =>
    (covariance(p[k], p[k]) + covariance(q[k], q[k]) - 2 * covariance(p[k], q[k])) / p[k].length
  return { a: mean(p.v10), b: mean(q.v10), standardError: Math.sqrt(part('v10') + part('v01')) }
}

test('areas and their difference are those of the definition, ties counted half', () => {
  const a = [0.1, 0.4, 0.35, 0.8, 0.65, 0.4, 0.9, 0.2, 0.55, 0.7]
  const b = [0.2, 0.5, 0.3, 0.7, 0.4, 0.6, 0.95, 0.1, 0.5, 0.35]
  const positives = [false, true, false, true, true, false, true, false, false, true]
  const expected = byDefinition(a, b, positives)
  const found = pairedAuc({ a, b, positives })
  near(found?.a, expected.a)
  near(found?.b, expected.b)
  near(found?.standardError, expected.standardError)
  near(found?.difference, expected.b - expected.a)
  assert.ok(found?.p !== null && (found?.p ?? 0) > 0 && (found?.p ?? 2) < 1)
})

test('what cannot be told is null, and equal ranking is no difference', () => {
  assert.equal(pairedAuc({ a: [1, 2], b: [1, 2], positives: [true, true] }), null)
  assert.equal(pairedAuc({ a: [1, 2], b: [1, 2], positives: [true, false] })?.p, null)
  const same = pairedAuc({
    a: [1, 2, 3, 4],
    b: [2, 4, 6, 8],
    positives: [false, true, false, true],
  })
  assert.deepEqual([same?.difference, same?.p], [0, 1])
})

test('a summary without images says so instead of dividing by none', () => {
  const summary = summarisePairs([], ['NO', 'YES'])
  assert.deepEqual([summary.n, summary.agreement, summary.kappa, summary.auc], [0, null, null, []])
})
