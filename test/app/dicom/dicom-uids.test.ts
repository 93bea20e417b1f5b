// Which results are the same object to an archive.
import assert from 'node:assert/strict'
import test from 'node:test'
import { uidsOf } from '../../../src/app/dicom/export/subject.ts'
import type { StudyIdentity } from '../../../src/imaging/dicom/study-identity.ts'
import type { Prediction } from '../../../src/registry/predictions/predictions.ts'

const READ = {
  id: 'p1',
  condition: 'pneumonia',
  sha256: 'ab',
  precision: 'float32',
  decision: { threshold: 0.5 },
  heatmap: { method: 'gradcam', target: 'PNEUMONIA' },
} as unknown as Prediction
const IDENTITY = {
  studyInstanceUid: '1.2',
  image: { sopInstanceUid: '1.2.3', sopClassUid: '1' },
} as StudyIdentity

const reportOf = (change: object): string =>
  uidsOf({
    prediction: { ...READ, ...change },
    conditionName: 'Pneumonia',
    identity: IDENTITY,
  }).report

test('read again the same way, an image gives the same object', () => {
  assert.equal(reportOf({ id: 'p2' }), reportOf({}))
})

test('by another graph, threshold or heatmap it gives another', () => {
  const others = [
    { precision: 'int8' },
    { decision: { threshold: 0.4 } },
    { heatmap: { method: 'gradcam', target: 'NORMAL' } },
    { heatmap: null },
  ]
  const uids = [reportOf({}), ...others.map(reportOf)]
  assert.equal(new Set(uids).size, uids.length)
})
