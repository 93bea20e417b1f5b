// What the API really answers is what its document says, for every operation: strictly for JSON, by media type for the rest.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { encodeParts } from '../../src/app/dicom/archive/multipart-related.ts'
import { image } from '../inference/tiny-package.ts'
import { type Call, documentOf, filledHome } from '../support/api/filled-home.ts'
import { AnswerCheck, operationsOf } from '../support/api/openapi-answers.ts'
import { film, STUDY } from '../support/dicom/archive-home.ts'
import { farEnd } from '../support/far-end.ts'
import { homeFolders, imageForm, jsonBody, jsonOf, openedHome } from '../support/home.ts'
import { sentEvents } from '../support/sse.ts'

const DEMO = 'pneumonia/tiny-cnn-demo@1'
const OTHER_DEMO = 'pneumonia/tiny-mobilenet-demo@1'

type Json = Readonly<Record<string, string>>

test('the document is valid OpenAPI 3.1, with a tag and a summary for every operation', async (t) => {
  const { call } = await openedHome(await homeFolders(t))
  const document = await documentOf(call)
  const result = await new Validator().validate({ ...structuredClone(document) })
  assert.deepEqual(result.errors ?? [], [])
  assert.equal(result.valid, true)
  assert.match(document.openapi, /^3\.1/)
  const ids = new Set<unknown>()
  for (const { key, spec } of operationsOf(document)) {
    const { tags, summary, operationId } = spec as unknown as Record<string, unknown>
    assert.ok(Array.isArray(tags) && tags.length === 1 && summary, key)
    assert.ok(!ids.has(operationId), `${operationId} is used once`)
    ids.add(operationId)
  }
})

test('what every operation answers is what the document says', { timeout: 540_000 }, async (t) => {
  const { home, call, a, b } = await filledHome(t)
  const document = await documentOf(call)
  const checker = new AnswerCheck(document)
  const seen = new Set<string>()
  /** Asks, holds the answer against the document, and gives its body. */
  const ask = async <T = Json>(
    key: string,
    { params = {}, query = '', ...init }: RequestInit & { params?: Json; query?: string } = {},
  ): Promise<T> => {
    const [method = '', path = ''] = key.split(' ')
    const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      assert.ok(params[name], `${key} needs ${name}`)
      return params[name]
    })
    const response = await call(`${address}${query}`, { method: method.toUpperCase(), ...init })
    assert.ok(response.status < 300, `${key}: ${response.status} ${await response.clone().text()}`)
    seen.add(key)
    return (await checker.check(key, response)) as T
  }
  const post = (body: object, params: Json = {}) => ({ ...jsonBody(body), params })
  const patch = (body: object, params: Json = {}) => ({ ...jsonBody(body, 'PATCH'), params })
  const id = 'pneumonia'
  const tiny = { condition: id, name: 'tiny', n: '1' }
  const second = { ...tiny, n: '2' }
  const demo = { condition: id, name: 'tiny-cnn-demo', n: '1' }

  await t.test('the server', async () => {
    await ask('get /healthz')
    await ask('get /readyz')
    await ask('get /metrics')
    await ask('get /api/v1/openapi.json')
    await ask('post /api/v1/clock/confirm', post({}))
  })

  await t.test('conditions and activations', async () => {
    const classes = [
      { label: 'NORMAL', positive: false },
      { label: 'SICK', positive: true },
    ]
    await ask('post /api/v1/conditions', post({ id: 'spots', kind: 'binary', classes }))
    await ask('get /api/v1/conditions')
    await ask('patch /api/v1/conditions/{id}', patch({ name: 'Lung', reason: 'so' }, { id }))
    await ask('post /api/v1/conditions/{id}/activate', post({ version: b.id, reason: 'x' }, { id }))
    await ask('post /api/v1/conditions/{id}/activate', post({ version: a.id, reason: 'x' }, { id }))
    await ask('post /api/v1/conditions/{id}/rollback', post({ reason: 'x' }, { id }))
    await ask('get /api/v1/conditions/{id}/history', { params: { id } })
    await ask('get /api/v1/conditions/{id}/history', { params: { id }, query: '?at=2100-01-01' })
    const challenger = { version: a.id, mode: 'split', share: 0.5 }
    await ask('post /api/v1/conditions/{id}/challenger', post(challenger, { id }))
    const rule = { minCases: 10, margin: 0.1 }
    await ask('post /api/v1/conditions/{id}/promotion-rule', post({ rule, reason: 'x' }, { id }))
    await ask('get /api/v1/conditions/{id}/promotion-rule', { params: { id } })
    const alias = { alias: 'best', version: a.id }
    await ask('post /api/v1/conditions/{id}/aliases', post(alias, { id }))
    await ask('get /api/v1/conditions/{id}/aliases', { params: { id } })
    await ask('get /api/v1/conditions/{id}/changes', { params: { id } })
    await ask('get /api/v1/conditions/{id}', { params: { id } })
  })

  await t.test('predictions', async () => {
    const png = await image(3)
    const predict = (fields: object) => ({
      body: imageForm({ image: png, condition: id, ...fields }),
    })
    const { id: prediction = '' } = await ask('post /api/v1/predict', predict({}))
    await ask('post /api/v1/predict', predict({ version: DEMO, explain: 'none' }))
    await ask('post /api/v1/compare', predict({ a: a.id, b: b.id }))
    const many = imageForm({ condition: id })
    many.append('image', new Blob([Uint8Array.from(png)]))
    many.append('image', new Blob(['no image']))
    await ask('post /api/v1/batch', { body: many })
    await ask('post /api/v1/batch', { body: imageForm({ condition: id, folder: 'chest' }) })
    await ask('post /api/v1/batch', { ...predict({}), headers: { accept: 'text/csv' } })
    const feedback = { verdict: 'agree', comment: 'clear' }
    await ask('post /api/v1/predictions/{id}/feedback', post(feedback, { id: prediction }))
    await ask('get /api/v1/predictions')
    await ask('get /api/v1/predictions', { query: '?format=csv' })
    const one = { params: { id: prediction } }
    await ask('get /api/v1/predictions/{id}', one)
    await ask('get /api/v1/predictions/{id}/heatmap.png', one)
    await ask('get /api/v1/predictions/{id}/report.pdf', one)
    await ask('get /api/v1/predictions/{id}/secondary-capture.dcm', one)
    await ask('get /api/v1/predictions/{id}/structured-report.dcm', one)
    const source = film({ uid: '1.2.3.9' })
    const { id: fromDicom = '' } = await ask('post /api/v1/predict', {
      body: imageForm({ image: source, condition: id }),
    })
    for (const name of ['secondary-capture.dcm', 'structured-report.dcm']) {
      const body = new FormData()
      body.set('source', new Blob([Uint8Array.from(source)]), 'source.dcm')
      await ask(`post /api/v1/predictions/{id}/${name}`, { body, params: { id: fromDicom } })
    }
    await ask('get /api/v1/conditions/{id}/challenger', { params: { id } })
    await ask('post /api/v1/versions/{condition}/{name}/{n}/reread', post({ with: DEMO }, second))
    await ask(
      'post /api/v1/conditions/{id}/ab',
      post({ a: a.id, b: b.id, folder: 'chest' }, { id }),
    )
    await votedBlindly(call, { prediction, against: DEMO })
    await ask('get /api/v1/conditions/{id}/votes', { params: { id } })
    await ask('delete /api/v1/predictions/{id}', one)
  })

  await t.test('the archive', async () => {
    const rule = { enabled: true, modalities: ['DX'] }
    await ask('patch /api/v1/archive/rules/{id}', patch(rule, { id }))
    for (const key of ['post /dicomweb/studies', 'post /dicomweb/studies/{study}']) {
      const { body, contentType } = encodeParts([film({ uid: `1.2.3.${key.length}` })])
      const headers = { 'content-type': contentType }
      await ask(key, { body: new Uint8Array(body), headers, params: { study: STUDY } })
    }
    await home.jobs.whenIdle()
    await ask('get /api/v1/archive')
  })

  await t.test('versions', async () => {
    await ask('get /api/v1/versions', { query: '?sort=accuracy&order=desc&limit=2' })
    await ask('get /api/v1/versions/{condition}/{name}/{n}', { params: demo })
    await ask('patch /api/v1/versions/{condition}/{name}/{n}', patch({ tags: ['x'] }, tiny))
    await ask('get /api/v1/versions/{condition}/{name}/{n}/plots/{file}', {
      params: { ...demo, file: 'roc.svg' },
    })
    const { headers } = await call('/api/v1/versions/pneumonia/tiny/2/export')
    assert.match(headers.get('content-type') ?? '', /zip/)
    await ask('get /api/v1/versions/{condition}/{name}/{n}/export', { params: second })
    const body = new FormData()
    const exported = await call('/api/v1/versions/pneumonia/tiny/2/export')
    body.set('package', new Blob([await exported.arrayBuffer()]), 'x.roentgen.zip')
    await ask('post /api/v1/versions/import', { body })
    await ask('get /api/v1/inbox')
    const query = `?version=${encodeURIComponent(DEMO)}&version=${encodeURIComponent(OTHER_DEMO)}`
    await ask('get /api/v1/comparisons', { query })
    await ask('get /api/v1/comparisons/export', { query })
    await ask('get /api/v1/backup')
  })

  await t.test('keys', async () => {
    const { publicKey = '' } = await ask('post /api/v1/keys', post({ name: 'ours' }))
    await ask('post /api/v1/keys/trust', post({ name: 'ours', publicKey }))
    await ask('get /api/v1/keys')
    await ask('post /api/v1/versions/{condition}/{name}/{n}/sign', post({ key: 'ours' }, demo))
    await ask('get /api/v1/versions/{condition}/{name}/{n}/signatures', { params: demo })
    await ask('post /api/v1/keys/{key}/revoke', post({ reason: 'lost' }, { key: 'ours' }))
  })

  await t.test('evaluations and jobs', async () => {
    const one = '/api/v1/versions/{condition}/{name}/{n}'
    const lines = await ask<{ evaluation?: { id: string } }[]>(
      `post ${one}/evaluate`,
      post({ dataset: 'chest' }, tiny),
    )
    const evaluation = lines.at(-1)?.evaluation?.id ?? ''
    await ask(`get ${one}/evaluations`, { params: tiny })
    await ask(`get ${one}/evaluations/{id}`, { params: { ...tiny, id: evaluation } })
    const form = new URLSearchParams({ dataset: 'chest' })
    await call('/models/pneumonia/tiny/2/evaluations', { method: 'POST', body: form })
    const { items } = await ask<{ items: { id: string }[] }>('get /api/v1/jobs', {
      query: '?kind=evaluation',
    })
    const params = { id: items[0]?.id ?? '' }
    await ask('post /api/v1/jobs/{id}/cancel', { params })
    await ask('get /api/v1/jobs/{id}', { params })
    await ask('get /api/v1/jobs/{id}/events', { params })
  })

  await t.test('notifications', async (t2) => {
    const { url } = await farEnd(t2)
    const target = { kind: 'webhook', name: 'here', address: url, events: ['run.finished'] }
    const { id: made = '' } = await ask('post /api/v1/notifications', post(target))
    const params = { id: made }
    await ask('get /api/v1/notifications')
    await ask('get /api/v1/notifications/{id}', { params })
    await ask('post /api/v1/notifications/{id}/test', { params })
    await ask('get /api/v1/notifications/deliveries')
    await ask('patch /api/v1/notifications/{id}', patch({ enabled: false }, params))
    await ask('delete /api/v1/notifications/{id}', { params })
  })

  await t.test('datasets and runs', async () => {
    const { id: dataset = '' } = await ask('post /api/v1/datasets/scan', post({ path: 'spots' }))
    const params = { id: dataset }
    const wanted = { condition: 'spots', imageSize: 32 }
    await ask('post /api/v1/datasets/{id}/prepare', post(wanted, params))
    await ask('post /api/v1/datasets/{id}/exclude', post({ files: ['SICK/39.png'] }, params))
    await ask('get /api/v1/datasets')
    await ask('get /api/v1/weights')
    const hyperparameters = {
      ...{ batchSize: 8, imageSize: 32, learningRate: 3e-3, schedule: 'constant' },
      ...{ epochs: 200 },
    }
    const run = { condition: 'spots', dataset, architecture: 'tiny_cnn', preset: 'quick' }
    const { id: first = '' } = await ask('post /api/v1/runs', post({ ...run, hyperparameters }))
    const { runs, set } = await ask<{ runs: { id: string }[]; set: string }>(
      'post /api/v1/runs',
      post({ ...run, preset: ['quick', 'standard'], hyperparameters }),
    )
    await ask('get /api/v1/run-sets/{id}', { params: { id: set } })
    for (const waiting of runs) {
      const one = { params: { id: waiting.id } }
      await ask('post /api/v1/runs/{id}/pause', one)
      await ask('post /api/v1/runs/{id}/resume', one)
      await ask('post /api/v1/runs/{id}/cancel', one)
    }
    for await (const { event } of sentEvents(await call(`/api/v1/runs/${first}/events`))) {
      if (event === 'epoch') break
    }
    await ask('post /api/v1/runs/{id}/stop', { params: { id: first } })
    await ask('get /api/v1/runs/{id}/events', { params: { id: first } })
    await ask('get /api/v1/runs/{id}', { params: { id: first } })
    await ask('get /api/v1/runs')
    await ask('post /api/v1/datasets/{id}/label-check', { params })
    await ask('get /api/v1/datasets/{id}', { params })
  })

  await t.test('a version leaves and returns', async () => {
    await ask('delete /api/v1/versions/{condition}/{name}/{n}', { params: demo })
    await ask('post /api/v1/versions/{condition}/{name}/{n}/undelete', { params: demo })
  })

  const unseen = operationsOf(document).filter(({ key }) => !seen.has(key))
  assert.deepEqual(
    unseen.map(({ key }) => key),
    [],
    'an operation whose answer nobody held against the document',
  )
})

/** A blinded reading on its pages, so that there is a vote. */
async function votedBlindly(call: Call, o: { prediction: string; against: string }): Promise<void> {
  const headers = { accept: 'text/html' }
  const { version } = await jsonOf<Json>(await call(`/api/v1/predictions/${o.prediction}`))
  const body = new FormData()
  const fields = { prediction: o.prediction, condition: 'pneumonia', a: version ?? '' }
  for (const [name, value] of Object.entries({ ...fields, b: o.against, blind: 'on' })) {
    body.set(name, value)
  }
  const begun = await call('/compare', { method: 'POST', body, headers })
  const at = begun.headers.get('location') ?? ''
  assert.match(at, /^\/compare\/blind\//, await begun.clone().text())
  const label = new URLSearchParams({ label: 'NORMAL' })
  await call(`${at}/read`, { method: 'POST', body: label, headers })
  const vote = new URLSearchParams({ preference: 'a' })
  const voted = await call(`${at}/vote`, { method: 'POST', body: vote, headers })
  assert.equal(voted.status, 303, await voted.clone().text())
}
