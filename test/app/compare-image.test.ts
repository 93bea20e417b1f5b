// Two predictions of one image held side by side: agreement, differences, and whether their heatmaps mean the same.
import assert from 'node:assert/strict'
import test from 'node:test'
import { comparePredictions } from '../../src/app/comparisons/compare-image.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import { aPrediction } from '../support/prediction.ts'

const heatmap = (method: string, target: string): Prediction['heatmap'] => ({
  url: '/x',
  method,
  layer: 'c1',
  target,
  weak: false,
  scale: 1,
})

const version = { id: 'pneumonia/tiny@1', sha256: 'a'.repeat(64), condition: 'pneumonia' }
const withMap = (map: Prediction['heatmap']) => ({
  ...aPrediction({ version, positive: 0.9 }),
  heatmap: map,
})

test('two predictions agree when they name the same label; differences are b minus a of calibrated probability', () => {
  const a = withMap(heatmap('gradcam', 'PNEUMONIA'))
  const classes = a.classes.map((one, k) => ({ ...one, probability: [0.75, 0.25][k] ?? 0 }))
  const b = { ...a, classes, decision: { ...a.decision, label: 'NORMAL' } }
  const { agree, deltas, note } = comparePredictions(a, b)
  assert.equal(agree, false)
  for (const [k, { label, probability }] of a.classes.entries()) {
    assert.equal(deltas[label], ([0.75, 0.25][k] ?? 0) - probability)
  }
  assert.equal(note, null)
  assert.equal(comparePredictions(a, a).agree, true)
})

test('heatmaps that mean different things are not compared, and the reason is given', () => {
  const a = withMap(heatmap('gradcam', 'NORMAL'))
  const cases = [
    [heatmap('occlusion', 'NORMAL'), /different ways \(gradcam and occlusion\)/],
    [heatmap('gradcam', 'PNEUMONIA'), /different classes \(NORMAL and PNEUMONIA\)/],
    [null, /no two heatmaps/],
  ] as const
  for (const [other, reason] of cases) {
    assert.match(comparePredictions(a, { ...a, heatmap: other }).note ?? '', reason)
  }
})
