// int8 is offered or refused on an interval of the paired difference, never on two points.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestAnswer } from '../../../src/evaluation/answers.ts'
import { meanDifference, pairedDifference } from '../../../src/statistics/non-inferiority.ts'
import { judgeInt8 } from '../../../src/training/int8/judge-int8.ts'

const classes = [
  { label: 'NORMAL', positive: false },
  { label: 'SICK', positive: true },
]

/** Of a sick image; the threshold is 0.5. */
function answer(p: number): TestAnswer {
  const scores = classes.map(({ label }, k) => {
    const probability = k === 1 ? p : 1 - p
    return { label, probability, uncalibrated: probability, logit: null }
  })
  const label = p >= 0.5 ? 'SICK' : 'NORMAL'
  const decision = { label, positive: p >= 0.5, findings: [] } as unknown as TestAnswer['decision']
  return { scores, decision }
}

/** All images sick; `change` is what int8 says instead of 0.9. */
function judge(n: number, change: (at: number) => number) {
  const images = Array.from({ length: n }, (_, at) => at)
  return judgeInt8({
    ...{ classes, kind: 'binary', truth: images.map(() => [1]) },
    float32: images.map(() => answer(0.9)),
    int8: images.map((at) => answer(change(at))),
  })
}

test('with many images accuracy decides: no disagreement is offered, a clear loss is not', () => {
  const same = judge(1000, () => 0.9)
  assert.deepEqual([same.offered, same.decidedBy], [true, 'accuracy'])
  assert.ok(same.accuracy.lower >= -0.005)
  const worse = judge(1000, (at) => (at % 20 === 0 ? 0.1 : 0.9))
  assert.deepEqual([worse.offered, worse.decidedBy], [false, 'accuracy'])
  assert.ok(worse.accuracy.upper < -0.005)
  assert.match(worse.reason, /95\.0% in int8, 100\.0% in float32 .*: more than 0\.5 points lost/)
})

test('27 images with equal accuracy are too few for it, and the probabilities decide on their interval', () => {
  const alike = judge(27, (at) => 0.9 + (at % 2 === 0 ? 0.002 : -0.002))
  assert.deepEqual([alike.offered, alike.decidedBy], [true, 'probability'])
  assert.ok(alike.accuracy.lower < -0.005, 'accuracy alone could not tell')
  assert.match(alike.reason, /27 images are too few to bound the accuracy within 0\.5 points/)
  const lower = judge(27, (at) => (at % 2 === 0 ? 0.9 : 0.88))
  assert.deepEqual([lower.offered, lower.decidedBy], [false, 'probability'])
  assert.equal(lower.accuracy.seen, 0, 'equal points are no reason to offer it')
  const noisy = judge(27, (at) => (at % 2 === 0 ? 0.97 : 0.83))
  assert.equal(noisy.offered, false, 'a mean near zero with a wide interval is no evidence')
})

test('where few images show a loss of accuracy it is not offered, whatever the probabilities say', () => {
  const verdict = judge(60, (at) => (at === 0 ? 0.49 : 0.999))
  assert.ok((verdict.probability?.lower ?? -1) > -0.005)
  assert.deepEqual([verdict.offered, verdict.decidedBy], [false, 'probability'])
  assert.match(verdict.reason, /the loss as seen is more than 0\.5 points/)
})

test('fewer than 20 images are no evidence, and neither are none', () => {
  for (const n of [0, 1, 19]) {
    const verdict = judge(n, () => 0.9)
    assert.deepEqual([verdict.offered, verdict.decidedBy], [false, 'too few images'], `${n}`)
  }
  assert.match(judge(0, () => 0.9).reason, /there are no test images/)
})

test('intervals are those of the literature', () => {
  // t of 19 degrees of freedom is 2.09302
  const twenty = Array.from({ length: 20 }, (_, k) => (k % 2 === 0 ? 1 : -1))
  const half = 2.09302 * Math.sqrt(20 / 19 / 20)
  assert.ok(Math.abs((meanDifference(twenty)?.upper ?? 0) - half) < 1e-3)
  assert.equal(meanDifference([1]), undefined)
  const paired = pairedDifference({ n: 100, b: 3, c: 3 })
  assert.ok(Math.abs(paired.lower + paired.upper) < 1e-12)
})
