// The printed report of a result: what stands on it, that it is one page, and when there is none.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { printable } from '../../src/app/reports/printable.ts'
import { expirePredictions, getPrediction } from '../../src/registry/predictions/predictions.ts'
import type { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../support/home.ts'
import { pdfText } from '../support/pdf-text.ts'

type Prediction = ReturnType<typeof PredictionSchema.parse>

test('a result prints as one page of text and pictures, the same bytes each time, until it expires', async (t) => {
  const folders = await homeFolders(t)
  const { id, sha256 } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { home, call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  const read = async (fields: Record<string, string> = {}) => {
    const body = imageForm({ image: await image(7), condition: 'pneumonia', ...fields })
    return jsonOf<Prediction>(await call('/api/v1/predict', { method: 'POST', body }))
  }
  const prediction = await read()
  const address = `/api/v1/predictions/${prediction.id}/report.pdf`
  const response = await call(address)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/pdf')
  assert.match(response.headers.get('content-disposition') ?? '', /^inline; filename="pr_.*\.pdf"$/)
  const pdf = Buffer.from(await response.arrayBuffer())
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-')
  assert.equal(pdf.toString('latin1').match(/\/Type \/Page\b/g)?.length, 1)
  assert.equal(pdf.toString('latin1').match(/\/Subtype \/Image/g)?.length, 2)

  const text = pdfText(pdf).replaceAll('\n', ' ')
  const { decision, image: read1 } = prediction
  for (const words of [
    'Research use only. Not a medical device.',
    `${decision.label} (`,
    `Operating point ${decision.operatingPoint}`,
    id,
    sha256,
    read1.sha256,
    prediction.preprocessing,
    `${read1.width} × ${read1.height} pixels, png`,
    'decoded: PNG, 8 bits',
    prediction.id,
    prediction.at.slice(0, 10),
    'Evidence for',
  ]) {
    assert.ok(text.includes(words), `${words} in ${text}`)
  }
  for (const { label } of prediction.classes) assert.ok(text.includes(label))
  assert.deepEqual(Buffer.from(await (await call(address)).arrayBuffer()), pdf)
  assert.ok((await (await call(`/predictions/${prediction.id}`)).text()).includes(address))

  const plain = await read({ explain: 'none' })
  const without = await call(`/api/v1/predictions/${plain.id}/report.pdf`)
  const printed = Buffer.from(await without.arrayBuffer())
  assert.equal(printed.toString('latin1').match(/\/Subtype \/Image/g)?.length, 1)

  const { imageFile } = await getPrediction(home.db, plain.id)
  await rm(join(home.store.uploadsDir, imageFile ?? ''))
  const lost = await call(`/api/v1/predictions/${plain.id}/report.pdf`)
  assert.match(pdfText(new Uint8Array(await lost.arrayBuffer())), /image is no longer stored/)

  assert.equal((await call('/api/v1/predictions/pr_none/report.pdf')).status, 404)
  await expirePredictions(home, { clock: () => new Date('2999-01-01T00:00:00Z') })
  const gone = await call(address)
  assert.equal(gone.status, 410)
  assert.equal((await jsonOf(gone)).code, 'gone')
})

test('letters that the fonts of a PDF lack lose their accents or become a question mark', () => {
  assert.equal(printable('Größe × 2 ≥ 0.95 − Łódź'), 'Größe × 2 >= 0.95 – ?ódz')
  assert.equal(printable('肺\n炎\u2009a'), '? ? a')
})
