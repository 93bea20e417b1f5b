// A run whose dataset has other classes than its condition is refused before it is queued.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isAppError } from '../../../src/errors.ts'
import { checkClassesFit } from '../../../src/training/run-checks.ts'
import { dataset } from '../../views/training-samples.ts'

const scan = dataset.scan as NonNullable<typeof dataset.scan>
const of = (labels: readonly string[], unlabelled = 0) => ({
  name: 'chest',
  scan: { ...scan, unlabelled, classes: labels.map((label) => ({ label, count: 9 })) },
  prepared: null,
})
const pneumonia = {
  name: 'Pneumonia',
  kind: 'binary',
  classes: [
    { label: 'NORMAL', positive: false },
    { label: 'PNEUMONIA', positive: true },
  ],
} as const

test('other classes are refused, with the condition that the dataset would make', () => {
  assert.throws(
    () => checkClassesFit(pneumonia, of(['Covid-19', 'No_findings', 'Pneumonia'])),
    (error) => {
      assert.ok(isAppError(error))
      assert.deepEqual([error.code, error.status], ['class-mismatch', 422])
      assert.match(error.message, /no images of "NORMAL" for Pneumonia.*"Covid-19"/)
      const offer = error.extra.offer as { kind: string; classes: unknown[] }
      assert.deepEqual([offer.kind, offer.classes.length], ['single-label', 3])
      return true
    },
  )
  assert.throws(() => checkClassesFit(pneumonia, of(['PNEUMONIA'])), /no images of "NORMAL"/)
})

test('the same classes in another spelling fit, and unlabelled images may be the healthy class', () => {
  checkClassesFit(pneumonia, of(['Pneumonia', 'normal']))
  checkClassesFit(pneumonia, of(['PNEUMONIA'], 4))
  assert.throws(() => checkClassesFit(pneumonia, of(['NORMAL'], 4)), /no images of "PNEUMONIA"/)
})
