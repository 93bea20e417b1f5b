// Ranking, rates and calibration against values computed with scikit-learn, scipy and numpy (recorded in the reference).
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  brierScore,
  expectedCalibrationError,
  negativeLogLikelihood,
  type Outputs,
  reliabilityBins,
} from '../../src/evaluation/probabilities.ts'
import { calibrate, fitTemperature } from '../../src/evaluation/temperature.ts'
import {
  binaryRates,
  countOutcomes,
  mcnemarExact,
  predictiveValues,
  rate,
} from '../../src/statistics/rates.ts'
import { areaUnderCurve, averagePrecision, rocCurve } from '../../src/statistics/roc.ts'

const truth = [0, 0, 1, 1, 0, 1, 0, 1, 1, 0]
const scores = [0.1, 0.4, 0.35, 0.8, 0.2, 0.9, 0.4, 0.6, 0.4, 0.7]
const ranked = { scores, positives: truth.map((one) => one === 1) }

function close(actual: number | null | undefined, expected: number, tolerance = 1e-7): void {
  assert.ok(
    Math.abs((actual ?? Number.NaN) - expected) <= tolerance,
    `${actual} is not ${expected}`,
  )
}

test('the ROC curve has one point for each distinct score after the origin', () => {
  const curve = rocCurve(ranked)
  assert.deepEqual(
    curve.map((point) => point.threshold),
    [Number.POSITIVE_INFINITY, 0.9, 0.8, 0.7, 0.6, 0.4, 0.35, 0.2, 0.1],
  )
  assert.deepEqual(curve[5]?.truePositiveRate, 4 / 5)
  assert.deepEqual(curve[5]?.falsePositiveRate, 3 / 5)
})

test('the area counts ties as half and has the interval of DeLong', () => {
  const area = areaUnderCurve(ranked)
  close(area?.auc, 0.76)
  close(area?.variance, 0.0262)
  const [low = 0, high = 0] = area?.interval ?? []
  assert.ok(low > 0 && low < 0.76 && high > 0.76 && high < 1)
})

test('an area with one class only is unknown', () => {
  assert.equal(areaUnderCurve({ scores: [0.2, 0.4], positives: [true, true] }), null)
  assert.equal(averagePrecision({ scores: [0.2, 0.4], positives: [false, false] }), null)
})

test('average precision sums precision over the steps of recall', () => {
  close(averagePrecision(ranked), 0.78928571, 1e-8)
})

test('Wilson intervals stay inside 0 and 1', () => {
  const at = (successes: number, n: number) => rate(successes, n).interval ?? [Number.NaN, 0]
  close(at(45, 50)[0], 0.7863977)
  close(at(45, 50)[1], 0.9565242)
  close(at(0, 20)[0], 0)
  close(at(0, 20)[1], 0.1611252)
  close(at(20, 20)[0], 0.8388748)
  close(at(20, 20)[1], 1)
})

test('rates follow from the four counts, and 0/0 is unknown', () => {
  const counts = countOutcomes([true, true, false, false, true], [true, false, false, true, true])
  assert.deepEqual(counts, { tp: 2, fp: 1, tn: 1, fn: 1 })
  const rates = binaryRates(counts)
  close(rates.sensitivity.value, 2 / 3)
  close(rates.f1, 4 / 6)
  assert.equal(binaryRates({ tp: 0, fp: 0, tn: 5, fn: 0 }).sensitivity.value, null)
  assert.equal(binaryRates({ tp: 0, fp: 0, tn: 5, fn: 0 }).balancedAccuracy, null)
})

test('predictive values move with the prevalence', () => {
  const rare = predictiveValues({ sensitivity: 0.9, specificity: 0.95 }, 0.01)
  close(rare.ppv, 0.153846, 1e-6)
  close(rare.npv, 0.998938, 1e-6)
})

test('McNemar compares two models on the same images', () => {
  close(mcnemarExact(15, 5), 0.0413895)
  assert.equal(mcnemarExact(0, 0), 1)
})

test('calibration error and Brier score of a sigmoid finding', () => {
  const bins = reliabilityBins(scores, ranked.positives, 15)
  close(expectedCalibrationError(bins), 0.215)
  const outputs: Outputs = {
    kind: 'binary',
    logits: scores.map((p) => [Math.log(p / (1 - p))]),
    truth: truth.map((one) => [one]),
  }
  close(brierScore(outputs), 0.18525)
})

const guo: Outputs = {
  kind: 'single-label',
  logits: [
    [3, 1, 0],
    [2.5, 2, 0],
    [0, 4, 1],
    [5, 0, 0],
    [1, 0, 3],
    [4, 3.5, 0],
    [0, 0.5, 3],
    [6, 2, 1],
  ],
  truth: [0, 1, 1, 0, 2, 1, 2, 2].map((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0))),
}

test('the temperature is the one of least likelihood loss', () => {
  const temperature = fitTemperature(guo)
  close(temperature, 1.97666755, 1e-6)
  close(negativeLogLikelihood(guo), 0.94711275)
  close(negativeLogLikelihood(guo, temperature), 0.79625012)
})

test('a temperature that cannot be bounded is clamped', () => {
  const sure: Outputs = { kind: 'binary', logits: [[2], [-3]], truth: [[1], [0]] }
  assert.equal(fitTemperature(sure), 0.05)
  const wrong: Outputs = { kind: 'binary', logits: [[2], [-3]], truth: [[0], [1]] }
  assert.equal(fitTemperature(wrong), 20)
})

/** Logits whose true temperature is known: positive with probability sigmoid(z / wanted), spread evenly. */
function drawn(wanted: number, n: number): Outputs {
  const logits = Array.from({ length: n }, (_, i) => [((i * 37) % n) * (8 / n) - 4])
  const is = logits.map(([z = 0], i) => {
    const p = 1 / (1 + Math.exp(-z / wanted))
    return [((i * 7919) % 1000) / 1000 < p ? 1 : 0]
  })
  return { kind: 'binary', logits, truth: is }
}

test('an overconfident model is calibrated and its error falls', () => {
  const calibration = calibrate(drawn(3, 400))
  assert.ok(calibration && calibration.temperature > 2 && calibration.temperature < 4.5)
  assert.ok((calibration.eceAfter ?? 1) < (calibration.eceBefore ?? 0))
  assert.equal(calibration.n, 400)
})

test('a model that is calibrated already is left as it is, and that is recorded', () => {
  const calibration = calibrate(drawn(1, 400))
  assert.equal(calibration?.temperature, 1)
  assert.equal(calibration?.eceAfter, calibration?.eceBefore)
})

test('too few images calibrate nothing', () => {
  assert.equal(calibrate(guo), null)
})
