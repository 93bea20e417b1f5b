// The words beside the bar of a training.
import assert from 'node:assert/strict'
import test from 'node:test'
import { batchNote } from '../../src/cli/training/batch-note.ts'

test('the bar tells epoch, loss, accuracy, speed and the time left', () => {
  const batch = { epoch: 2, epochs: 5, loss: 0.51224, accuracy: 0.5, imagesPerSecond: 12 }
  assert.equal(
    batchNote({ ...batch, etaSeconds: 249.4 }),
    'epoch 2/5, loss 0.5122, accuracy 0.500, 12 images/s, 4:09 left',
  )
  assert.match(batchNote({ ...batch, etaSeconds: 3600 + 4 * 60 + 9 }), /, 1:04:09 left$/)
  assert.match(batchNote({ ...batch, etaSeconds: null }), /12 images\/s$/)
})
