// A run whose dataset has other classes than its condition is refused before it is queued.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { isAppError } from '../../../src/errors.ts'
import type { Dataset } from '../../../src/registry/runs/datasets.ts'
import { checkClassesFit } from '../../../src/training/run-checks.ts'
import { homeFolders, jsonBody, jsonOf, openedHome } from '../../support/home.ts'
import { drawDataset } from '../../support/training/drawn-dataset.ts'
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

test('the page says why a run cannot start and makes the condition that fits in one click', async (t) => {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), 20)
  const { call } = await openedHome(folders)
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: 'CARDIOMEGALY', positive: true },
  ]
  await call('/api/v1/conditions', jsonBody({ id: 'heart', kind: 'binary', classes }))
  const scanned = await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' }))
  const { id } = await jsonOf<Dataset>(scanned)
  const prepared = await call(`/api/v1/datasets/${id}/prepare`, jsonBody({ imageSize: 32 }))
  assert.equal(prepared.status, 200)
  const accept = { accept: 'text/html' }
  const page = async (path: string) => (await call(path, { headers: accept })).text()
  const DISABLED = /type="submit" disabled aria-describedby="start-reason">Start/

  const body = { condition: 'heart', dataset: id, architecture: 'tiny_cnn', preset: 'quick' }
  const refused = await call('/api/v1/runs', jsonBody(body))
  const problem = await jsonOf<{ code: string; missing: string[]; offer: { kind: string } }>(
    refused,
  )
  assert.deepEqual(
    [refused.status, problem.code, problem.missing, problem.offer.kind],
    [422, 'class-mismatch', ['CARDIOMEGALY'], 'binary'],
  )
  assert.match(await page('/training'), DISABLED)
  const fit = await page(`/training/fit?condition=heart&dataset:${id}=on`)
  assert.match(fit, DISABLED)
  assert.match(fit, /has no images of &quot;CARDIOMEGALY&quot;/)
  assert.match(fit, new RegExp(`formaction="/training/condition" name="from" value="${id}"`))

  const post = (fields: Record<string, string>) =>
    call('/training/condition', {
      method: 'POST',
      headers: accept,
      body: new URLSearchParams(fields),
    })
  const made = await post({ from: id, condition: 'heart', [`dataset:${id}`]: 'on', epochs: '7' })
  assert.equal(made.status, 201)
  const form = await made.text()
  assert.doesNotMatch(form, DISABLED)
  assert.match(form, /<option value="spots" selected/)
  assert.match(form, /name="epochs"[^>]* value="7"/, 'what was filled in stays')
  assert.equal((await post({ from: id })).status, 201)
  const conditions = await jsonOf<{ id: string }[]>(await call('/api/v1/conditions'))
  assert.deepEqual(conditions.map((one) => one.id).toSorted(), ['heart', 'spots'])
  assert.doesNotMatch(await page(`/training/fit?condition=spots&dataset:${id}=on`), DISABLED)
  assert.equal((await post({ from: 'none' })).status, 404)
})
