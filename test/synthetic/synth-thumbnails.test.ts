// The synthetic conditions are real tasks: what a 32x32 thumbnail shows does not solve them. Always on small renderings
// of three conditions; with ROENTGEN_SLOW_TESTS=1 on all six at full size.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SYNTH_CONDITIONS } from '../../src/synthetic/conditions.ts'
import { thumbnailAuc } from './synth-thumbnails.ts'

const LIMIT = 0.75
const slow = process.env.ROENTGEN_SLOW_TESTS === '1'
const quick = new Set(['pneumonia', 'cardiomegaly', 'osteoarthritis'])

for (const { id } of SYNTH_CONDITIONS) {
  const sample = slow ? { images: 1008, size: 256 } : { images: 400, size: 64 }
  const skip = !slow && !quick.has(id) ? 'set ROENTGEN_SLOW_TESTS=1 to measure it' : false
  test(`${id}: logistic regression on thumbnails stays below an AUC of ${LIMIT}`, { skip }, (t) => {
    const area = thumbnailAuc(id, { ...sample, seed: 5 })
    t.diagnostic(`AUC ${area.toFixed(3)} on ${sample.images} images`)
    assert.ok(area < LIMIT, `AUC ${area.toFixed(3)}`)
  })
}
