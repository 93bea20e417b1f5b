// Accuracy, precision, recall and AUC of an epoch, counted by hand.
import assert from 'node:assert/strict'
import test from 'node:test'
import { epochFigures } from '../../src/training/loop/epoch-figures.ts'

test('binary figures are those of the positive class', () => {
  // Named positive: images 1, 2 and 4; positive are 1, 2 and 3.
  const logits = [[2], [1], [-1], [0.5], [-2]]
  const truth = [[1], [1], [1], [0], [0]]
  const { accuracy, precision, recall, auc } = epochFigures({ kind: 'binary', logits, truth })
  assert.deepEqual([accuracy, precision, recall], [3 / 5, 2 / 3, 2 / 3])
  // Of the six pairs (positive, negative), only (-1, 0.5) stands the wrong way round.
  assert.equal(auc, 5 / 6)
})

test('several exclusive classes give the mean over the classes that have images; one never named counts as nought', () => {
  const logits = [
    [3, 0, 0, 0],
    [3, 0, 0, 0],
    [0, 3, 0, 0],
    [2, 0, 1, 0],
  ]
  const truth = [
    [1, 0, 0, 0],
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ]
  const figures = epochFigures({ kind: 'single-label', logits, truth })
  assert.equal(figures.accuracy, 3 / 4)
  assert.equal(figures.precision, (2 / 3 + 1 + 0) / 3)
  assert.equal(figures.recall, (1 + 1 + 0) / 3)
  assert.equal(figures.auc, 1)
})

test('labels that do not exclude each other are judged one by one; with one class only the AUC is unknown', () => {
  const logits = [
    [1, 1],
    [1, -1],
  ]
  const truth = [
    [1, 0],
    [1, 0],
  ]
  assert.deepEqual(epochFigures({ kind: 'multi-label', logits, truth }), {
    accuracy: 3 / 4,
    precision: 1,
    recall: 1,
    auc: null,
  })
  const nobody = { kind: 'binary', logits: [[1]], truth: [[0]] } as const
  assert.deepEqual(epochFigures(nobody), { accuracy: 0, precision: null, recall: null, auc: null })
})
