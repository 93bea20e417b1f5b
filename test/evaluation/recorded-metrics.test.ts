// Every figure of a report against what scikit-learn gave for the same outputs (recorded/record_metrics.py), and the
// intervals that are drawn rather than computed.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { assess } from '../../src/evaluation/assess.ts'
import { classCurves } from '../../src/evaluation/curves.ts'
import type { Outputs } from '../../src/evaluation/probabilities.ts'
import { weightedRanking } from '../../src/evaluation/weighted-figures.ts'
import { defaultOperatingPoint } from '../../src/inference/decide.ts'
import { bootstrap } from '../../src/statistics/bootstrap.ts'
import { areaUnderCurve, averagePrecision } from '../../src/statistics/roc.ts'

type Figure = number | null
interface Case extends Outputs {
  readonly accuracy: number
  readonly balancedAccuracy?: number
  readonly mcc?: number
  readonly f1: number
  readonly confusion: number[][] | null
  readonly nll: number
  readonly brier: number
  readonly ece: number
  readonly classes: readonly Readonly<Record<string, Figure>>[]
  readonly macro: Readonly<Record<string, Figure>>
  readonly roc?: { readonly fpr: number[]; readonly tpr: number[] }
  readonly pr?: { readonly precision: number[]; readonly recall: number[] }
}

const { cases } = JSON.parse(
  readFileSync(new URL('./recorded/metrics.json', import.meta.url), 'utf8'),
) as { cases: Record<string, Case> }

function same(actual: number | null | undefined, expected: Figure | undefined, what: string): void {
  if (expected === null || expected === undefined) {
    assert.equal(actual ?? null, null, what)
    return
  }
  const gap = Math.abs((actual ?? Number.NaN) - expected)
  assert.ok(gap < 1e-6, `${what}: ${actual} is not ${expected}`)
}

function assessed(one: Case) {
  const classes =
    one.kind === 'binary'
      ? [
          { label: 'no', positive: false },
          { label: 'yes', positive: true },
        ]
      : one.truth[0]?.map((_, k) => ({ label: `class ${k}`, positive: true }))
  if (!classes) throw new Error('a case without images')
  const point = defaultOperatingPoint(one.kind, classes)
  const input = { classes, outputs: one, testSet: 'x', calibration: null, points: [point], point }
  return { ...assess(input), labels: classes }
}

for (const [name, one] of Object.entries(cases)) {
  test(`the figures are those of scikit-learn: ${name}`, () => {
    const found = assessed(one)
    same(found.metrics.accuracy, one.accuracy, 'accuracy')
    same(found.metrics.f1, one.f1, 'F1')
    if (one.balancedAccuracy !== undefined) {
      same(found.metrics.balancedAccuracy, one.balancedAccuracy, 'balanced accuracy')
      same(found.balancedAccuracy.value, one.balancedAccuracy, 'balanced accuracy, drawn')
    }
    if (one.mcc !== undefined) same(found.finding.mcc, one.mcc, 'MCC')
    assert.deepEqual(found.confusion, one.confusion)
    same(found.quality.raw.nll, one.nll, 'NLL')
    same(found.quality.raw.brier, one.brier, 'Brier')
    same(found.quality.raw.ece, one.ece, 'ECE')
    one.classes.forEach((expected, k) => {
      const report = found.classes[k]
      for (const key of ['precision', 'recall', 'specificity'] as const) {
        same(report?.[key].value, expected[key], `${key} of class ${k}`)
      }
      same(report?.f1, expected.f1, `F1 of class ${k}`)
      same(report?.area?.auc, expected.auc, `AUC of class ${k}`)
      // With one image on a side there is no sample variance, and the interval is wide.
      const { area } = report ?? {}
      if (expected.variance !== null)
        same(area?.variance, expected.variance, `DeLong of class ${k}`)
      else assert.ok(area && area.interval[1] - area.interval[0] > 0.5)
      same(report?.averagePrecision, expected.averagePrecision, `AP of class ${k}`)
      assert.equal(report?.support, expected.support)
    })
    for (const [key, expected] of Object.entries(one.macro)) {
      same(found.macro[key as keyof typeof found.macro].value, expected, `macro ${key}`)
    }
  })
}

test('the curves that are drawn go through the points of scikit-learn', () => {
  for (const one of Object.values(cases)) {
    if (!one.roc || !one.pr) continue
    const curve = classCurves(one, { classes: assessed(one).labels, temperature: 1 })[1]
    assert.deepEqual(
      curve?.roc.map(([x, y]) => [x.toFixed(9), y.toFixed(9)]),
      one.roc.fpr.map((x, i) => [x.toFixed(9), one.roc?.tpr[i]?.toFixed(9)]),
    )
    const pr = one.pr.recall.map((x, i) => [x.toFixed(9), one.pr?.precision[i]?.toFixed(9)])
    assert.deepEqual(
      curve?.pr.map(([x, y]) => [x.toFixed(9), y.toFixed(9)]),
      pr.reverse(),
    )
  }
})

test('with every image counted once the drawn ranking is the computed one, ties and all', () => {
  for (const one of Object.values(cases)) {
    const ranked = {
      scores: one.logits.map((row) => row[0] ?? 0),
      positives: one.truth.map((row) => row[0] === 1),
    }
    const drawn = weightedRanking(ranked)(new Uint16Array(one.logits.length).fill(1))
    same(drawn.auc, areaUnderCurve(ranked)?.auc ?? null, 'AUC')
    same(drawn.averagePrecision, averagePrecision(ranked), 'AP')
  }
})

test('every interval holds its value and is narrower with more images', () => {
  const share = (n: number) => (weights: Uint16Array) => ({
    share: weights.reduce((sum, weight, at) => sum + (at % 4 === 0 ? weight : 0), 0) / n,
  })
  const few = bootstrap(share(40), { n: 40 }).share
  const many = bootstrap(share(4000), { n: 4000 }).share
  const width = (one: typeof few) => (one.interval?.[1] ?? 0) - (one.interval?.[0] ?? 0)
  assert.equal(few.value, 0.25)
  // Of a share the normal approximation gives 2 * 1.96 * sqrt(p q / n).
  assert.ok(Math.abs(width(few) - 2 * 1.96 * Math.sqrt((0.25 * 0.75) / 40)) < 0.03)
  assert.ok(Math.abs(width(many) - 2 * 1.96 * Math.sqrt((0.25 * 0.75) / 4000)) < 0.003)
})

test('images of one patient are drawn together, which widens an interval', () => {
  const n = 400
  const share = (weights: Uint16Array) => {
    const all = weights.reduce((sum, weight) => sum + weight, 0)
    return { share: weights.reduce((s, w, at) => s + (at % 80 < 40 ? w : 0), 0) / all }
  }
  const width = (groups?: (string | null)[]) => {
    const { interval } = bootstrap(share, { n, groups }).share
    return (interval?.[1] ?? 0) - (interval?.[0] ?? 0)
  }
  const patients = Array.from({ length: n }, (_, at) => `patient ${Math.floor(at / 40)}`)
  assert.ok(width(patients) > 3 * width())
})

test('what is undefined has no interval, and one image has none either', () => {
  const found = bootstrap(() => ({ nothing: null, one: 1 }), { n: 1 })
  assert.deepEqual(found, {
    nothing: { value: null, interval: null },
    one: { value: 1, interval: null },
  })
})
