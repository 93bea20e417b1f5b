// Suspicious labels: folds, the regression, and which labels are doubted.
import assert from 'node:assert/strict'
import test from 'node:test'
import { uniformAt } from '../../src/engine/random/counter-random.ts'
import { dealFolds, FOLDS } from '../../src/training/label-check/folds.ts'
import { softmaxRegression } from '../../src/training/label-check/softmax-regression.ts'
import { findDoubts } from '../../src/training/label-check/suspects.ts'

test('folds keep patients together, spread each class evenly, and follow from the seed', () => {
  const images = Array.from({ length: 60 }, (_, i) => ({
    sha256: `${i}`,
    group: i < 20 ? `patient ${i % 4}` : null,
    classes: [i % 2],
  }))
  const folds = dealFolds(images, 7)
  assert.deepEqual(dealFolds(images, 7), folds)
  for (let patient = 0; patient < 4; patient++) {
    assert.equal(
      new Set([...folds.keys()].filter((i) => i < 20 && i % 4 === patient).map((i) => folds[i]))
        .size,
      1,
    )
  }
  for (let fold = 0; fold < FOLDS; fold++) {
    const members = images.filter((_, i) => folds[i] === fold)
    assert.equal(members.filter(({ classes }) => classes[0] === 0).length, 30 / FOLDS)
  }
})

test('the regression separates what can be separated and is unsure of what cannot', () => {
  // Three classes on a line, a feature that never changes, and one that says nothing.
  const rows = Array.from({ length: 90 }, (_, i) =>
    Float32Array.of((i % 3) + 0.2 * uniformAt(1, i), 5, uniformAt(2, i)),
  )
  const labels = rows.map((_, i) => i % 3)
  const answers = softmaxRegression({ rows, labels }, { rows, classes: 3 })
  for (const [i, row] of answers.entries()) {
    assert.equal(row.indexOf(Math.max(...row)), labels[i])
    assert.ok(Math.abs(row.reduce((sum, p) => sum + p, 0) - 1) < 1e-9)
  }
  const coin = rows.map((_, i) => (uniformAt(3, i) < 0.5 ? 0 : 1))
  const unsure = softmaxRegression({ rows, labels: coin }, { rows, classes: 2 })
  assert.ok(unsure.every((row) => Math.max(...row) < 0.9))
})

test('a label is doubted where another class is likelier; for sure where that is as likely as it usually is', () => {
  const labels = [0, 0, 0, 1, 1]
  const probabilities = [
    [0.9, 0.1],
    [0.8, 0.2],
    [0.1, 0.9], // labelled 0, looks like 1
    [0.2, 0.8],
    [0.55, 0.45], // looks like 0, but less than images of 0 do on average (0.6)
  ]
  const doubts = findDoubts(labels, probabilities)
  assert.deepEqual(doubts, [
    { at: 2, given: 0, suggested: 1, givenProbability: 0.1, suggestedProbability: 0.9, sure: true },
    {
      at: 4,
      given: 1,
      suggested: 0,
      givenProbability: 0.45,
      suggestedProbability: 0.55,
      sure: false,
    },
  ])
  assert.deepEqual(findDoubts([], []), [])
})
