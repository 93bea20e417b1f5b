// From outputs on two splits to what is reported: thresholds are chosen on one and measured on the other.
import assert from 'node:assert/strict'
import test from 'node:test'
import { uniformAt } from '../../src/engine/random/counter-random.ts'
import { evaluate } from '../../src/evaluation/evaluate.ts'
import { thresholdOf } from '../../src/evaluation/operating-points.ts'
import type { Outputs } from '../../src/evaluation/probabilities.ts'

const BINARY = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]

/** Half of the images positive; logits of the two halves overlap. */
function binaryOutputs(seed: number, n: number): Outputs {
  const truth = Array.from({ length: n }, (_, i) => [i % 2])
  const logits = truth.map(([is = 0], i) => [4 * (is - 0.5) + 6 * (uniformAt(seed, i) - 0.5)])
  return { kind: 'binary', logits, truth }
}

const evaluation = evaluate({
  classes: BINARY,
  calibration: binaryOutputs(1, 200),
  test: binaryOutputs(2, 300),
  testSet: 'f00d',
})

test('every rule keeps its promise where its threshold was chosen', () => {
  const point = (name: string) => evaluation.points.find((one) => one.name === name)
  assert.ok((point('sensitivity>=0.95')?.calibration.sensitivity.value ?? 0) >= 0.95)
  assert.ok((point('specificity>=0.95')?.calibration.specificity.value ?? 0) >= 0.95)
  const gains = evaluation.points.map(({ calibration: c }) => c.balancedAccuracy ?? 0)
  assert.equal(point('youden')?.calibration.balancedAccuracy, Math.max(...gains))
})

test('the figures of the test split agree with each other', () => {
  const { finding, metrics, confusion, answers, classes } = evaluation
  const { tp, fp, tn, fn } = finding.counts
  assert.deepEqual(confusion, [
    [tn, fp],
    [fn, tp],
  ])
  assert.equal(metrics.n, 300)
  assert.equal(metrics.accuracy, (tp + tn) / 300)
  assert.equal(metrics.sensitivity, tp / (tp + fn))
  assert.equal(answers.length, 300)
  assert.equal(classes[1]?.area?.auc, metrics.auc)
  assert.equal(classes[1]?.recall.value, metrics.sensitivity)
})

test('every decision is the one that serving would make at the default operating point', () => {
  const point = evaluation.operatingPoints.find(
    ({ name }) => name === evaluation.defaultOperatingPoint,
  )
  const threshold = point?.thresholds.PNEUMONIA ?? Number.NaN
  for (const { scores, decision } of evaluation.answers) {
    const p = scores.find(({ label }) => label === 'PNEUMONIA')?.probability ?? Number.NaN
    assert.equal(decision.positive, p >= threshold)
  }
})

test('a threshold lies between two scores, so rounding moves no image across', () => {
  const ranked = { scores: [0.9, 0.8, 0.3, 0.1], positives: [true, true, false, false] }
  assert.equal(thresholdOf('youden', ranked), (0.8 + 0.3) / 2)
  assert.equal(thresholdOf('sensitivity>=0.95', ranked), (0.8 + 0.3) / 2)
})

test('without any negative below the limit a specificity rule calls nothing positive', () => {
  const ranked = { scores: [0.9, 0.2], positives: [false, true] }
  assert.equal(thresholdOf('specificity>=0.95', ranked), 1)
})

test('with calibration images of one kind only the threshold is one half', () => {
  assert.equal(thresholdOf('youden', { scores: [0.1, 0.9], positives: [true, true] }), 0.5)
  assert.equal(thresholdOf('sensitivity>=0.95', { scores: [], positives: [] }), 0.5)
})

test('a model of several classes names the most probable one and may also flag findings early', () => {
  const truth = Array.from({ length: 90 }, (_, i) => [0, 1, 2].map((k) => (i % 3 === k ? 1 : 0)))
  const logits = truth.map((row, i) => row.map((is, k) => 2 * is + 3 * uniformAt(5, i, k)))
  const outputs: Outputs = { kind: 'single-label', logits, truth }
  const classes = [
    { label: 'NV', positive: false },
    { label: 'MEL', positive: true },
    { label: 'BKL', positive: false },
  ]
  const found = evaluate({ classes, calibration: outputs, test: outputs, testSet: 'x' })
  assert.equal(found.defaultOperatingPoint, 'argmax')
  assert.deepEqual(
    found.operatingPoints.map(({ name }) => name),
    ['argmax', 'sensitivity>=0.95', 'specificity>=0.95', 'youden'],
  )
  assert.deepEqual(Object.keys(found.operatingPoints[1]?.thresholds ?? {}), ['MEL'])
  const right = found.confusion?.reduce((sum, row, k) => sum + (row[k] ?? 0), 0)
  assert.equal(found.metrics.accuracy, (right ?? 0) / 90)
  const recalls = found.classes.map(({ recall }) => recall.value ?? 0)
  assert.equal(found.metrics.balancedAccuracy, recalls.reduce((a, b) => a + b, 0) / 3)
})

test('labels that do not exclude each other are judged one by one', () => {
  const truth = Array.from({ length: 40 }, (_, i) => [i % 2, i % 4 < 2 ? 1 : 0])
  const logits = truth.map((row, i) => row.map((is, k) => 4 * is - 2 + uniformAt(9, i, k)))
  const outputs: Outputs = { kind: 'multi-label', logits, truth }
  const classes = [
    { label: 'EDEMA', positive: true },
    { label: 'EFFUSION', positive: true },
  ]
  const found = evaluate({ classes, calibration: outputs, test: outputs, testSet: 'x' })
  assert.equal(found.confusion, null)
  assert.equal(found.metrics.accuracy, 1)
  assert.equal(found.metrics.auc, 1)
})
