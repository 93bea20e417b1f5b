// Raw outputs to class scores: what the formulas of temperature scaling and the three kinds of condition promise.
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  calibratedProbabilities,
  logitOf,
  sigmoid,
  softmax,
} from '../../src/inference/calibrate.ts'
import { scores } from '../../src/inference/scores.ts'
import type { Calibration, ClassLabel } from '../../src/package/schema.ts'

const BINARY = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]
const THREE = ['a', 'b', 'c'].map((label) => ({ label, positive: label !== 'a' }))

function temperature(value: number): Calibration {
  return { method: 'temperature', temperature: value, eceBefore: null, eceAfter: null, n: 10 }
}

function near(found: number | null | undefined, expected: number, tolerance = 1e-6): void {
  assert.ok(typeof found === 'number')
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} is not ${expected}`)
}

test('dividing the logits by the fitted temperature gives the published likelihood', () => {
  // Test vector of Guo et al.'s method: NLL 0.94711275 before, 0.79625012 at T = 1.97666755.
  const logits = [
    [3, 1, 0],
    [2.5, 2, 0],
    [0, 4, 1],
    [5, 0, 0],
    [1, 0, 3],
    [4, 3.5, 0],
    [0, 0.5, 3],
    [6, 2, 1],
  ]
  const truth = [0, 1, 1, 0, 2, 1, 2, 2]
  const nll = (calibration: Calibration | null) =>
    logits.reduce((sum, row, index) => {
      const p = calibratedProbabilities('single-label', { logits: row, calibration })
      return sum - Math.log(p[truth[index] ?? 0] ?? 0) / logits.length
    }, 0)
  near(nll(null), 0.94711275)
  near(nll(temperature(1.97666755)), 0.79625012)
})

test('a binary version gives p and 1 - p, and the logits z and -z', () => {
  const raw = { logits: Float32Array.of(2), probabilities: null }
  const found = scores({ kind: 'binary', classes: BINARY, raw, calibration: temperature(2) })
  near(found[1]?.uncalibrated, 1 / (1 + Math.exp(-2)))
  near(found[1]?.probability, 1 / (1 + Math.exp(-1)))
  near((found[0]?.probability ?? 0) + (found[1]?.probability ?? 0), 1, 0)
  assert.deepEqual(
    found.map((one) => one.logit),
    [-2, 2],
  )
})

test('the positive class is found wherever it stands in the list', () => {
  const raw = { logits: Float32Array.of(3), probabilities: null }
  const found = scores({
    kind: 'binary',
    classes: BINARY.toReversed(),
    raw,
    calibration: null,
  })
  assert.deepEqual(
    found.map(({ label, logit }) => [label, logit]),
    [
      ['PNEUMONIA', 3],
      ['NORMAL', -3],
    ],
  )
})

test('a binary graph with two outputs counts as one margin', () => {
  const raw = { logits: Float32Array.of(1, 4), probabilities: null }
  const found = scores({ kind: 'binary', classes: BINARY, raw, calibration: null })
  near(found[1]?.probability, sigmoid(4 - 1))
  assert.deepEqual(
    found.map((one) => one.logit),
    [1 - 4, 4 - 1],
  )
})

test('single-label probabilities sum to 1 and keep their order at every temperature', () => {
  const raw = { logits: Float32Array.of(1, 3, 2), probabilities: null }
  for (const value of [0.05, 1, 20]) {
    const found = scores({
      kind: 'single-label',
      classes: THREE,
      raw,
      calibration: temperature(value),
    }).map((one) => one.probability)
    near(
      found.reduce((a, b) => a + b, 0),
      1,
    )
    assert.ok((found[1] ?? 0) > (found[2] ?? 0) && (found[2] ?? 0) > (found[0] ?? 0))
  }
})

test('multi-label probabilities are independent of each other', () => {
  const at = (third: number) =>
    scores({
      kind: 'multi-label',
      classes: THREE,
      raw: { logits: Float32Array.of(0, 2, third), probabilities: null },
      calibration: null,
    })
  near(at(-5)[1]?.probability, sigmoid(2))
  near(at(5)[1]?.probability, sigmoid(2))
  near(at(5)[0]?.probability, 0.5, 0)
})

test('a graph that gives probabilities only has no logits, and is calibrated all the same', () => {
  const p = softmax([1, 3, 2])
  const raw = { logits: null, probabilities: Float32Array.from(p) }
  const found = scores({
    kind: 'single-label',
    classes: THREE,
    raw,
    calibration: temperature(2),
  })
  const expected = softmax([0.5, 1.5, 1])
  found.forEach((one, index) => {
    assert.equal(one.logit, null)
    near(one.uncalibrated, p[index] ?? 0)
    near(one.probability, expected[index] ?? 0)
  })
  const binary = scores({
    kind: 'binary',
    classes: BINARY,
    raw: { logits: null, probabilities: Float32Array.of(0.9) },
    calibration: temperature(2),
  })
  near(binary[1]?.probability, sigmoid(logitOf(0.9) / 2))
})

test('huge logits give finite probabilities', () => {
  const rows: [Float32Array, readonly ClassLabel[], 'binary' | 'single-label'][] = [
    [Float32Array.of(3e38), BINARY, 'binary'],
    [Float32Array.of(-3e38), BINARY, 'binary'],
    [Float32Array.of(3e38, -3e38, 0), THREE, 'single-label'],
  ]
  for (const [logits, classes, kind] of rows) {
    const raw = { logits, probabilities: null }
    for (const one of scores({ kind, classes, raw, calibration: temperature(0.05) })) {
      assert.ok(Number.isFinite(one.probability) && Number.isFinite(one.logit))
    }
  }
})

test('a result that is not a number, or has the wrong length, is an error and no diagnosis', () => {
  const wrong = [Float32Array.of(Number.NaN), Float32Array.of(), Float32Array.of(1, 2, 3)]
  for (const logits of wrong) {
    const raw = { logits, probabilities: null }
    assert.throws(() => scores({ kind: 'binary', classes: BINARY, raw, calibration: null }), {
      code: 'internal',
    })
  }
})
