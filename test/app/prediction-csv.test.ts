// Readings as a table: a batch that asks for one, and what a spreadsheet must not take for a formula.
import assert from 'node:assert/strict'
import test from 'node:test'
import { predictionCsv } from '../../src/app/diagnosis/prediction-csv.ts'
import { problemOf } from '../../src/app/problem.ts'
import { AppError } from '../../src/errors.ts'
import { parseCsv } from '../../src/package/csv.ts'
import { image } from '../inference/tiny-package.ts'
import { homeFolders, jsonBody, openedHome, storePackage } from '../support/home.ts'
import { aPrediction } from '../support/prediction.ts'

const VERSION = { id: 'pneumonia/tiny@1', sha256: 'a'.repeat(64), condition: 'pneumonia' }

test('a batch that accepts text/csv is answered as a table in order, with a problem in its own line', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  const form = new FormData()
  const files = [
    ['first.png', await image(1)],
    ['=cmd|evil.png', Buffer.from('no image')],
    ['third, "b".png', await image(2)],
  ] as const
  for (const [name, bytes] of files) form.append('image', new Blob([Uint8Array.from(bytes)]), name)
  form.set('condition', 'pneumonia')
  const ask = (accept: string) =>
    call('/api/v1/batch', { method: 'POST', body: form, headers: { Accept: accept } })

  const response = await ask('text/csv')
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  const text = await response.text()
  assert.equal(text.split('\r\n').length, 1 + 3 + 1)
  const rows = parseCsv(text)
  assert.deepEqual(
    rows.map(({ n, status, version }) => [n, status, version]),
    [
      ['1', 'read', id],
      ['2', 'unsupported-image', ''],
      ['3', 'read', id],
    ],
  )
  assert.deepEqual(
    rows.map(({ file }) => file?.startsWith('=')),
    [false, false, false],
  )
  const [first, second] = rows
  const kept = await (await call(`/api/v1/predictions/${first?.prediction}`)).json()
  const { classes, decision } = kept as ReturnType<typeof aPrediction>
  assert.equal(first?.['probability pneumonia'], String(classes[1]?.probability))
  assert.equal(first?.decision, decision.label)
  assert.equal(second?.['probability pneumonia'], '')
  assert.notEqual(second?.detail, '')

  const page = await call('/api/v1/predictions?format=csv&limit=1')
  const [newest, ...others] = parseCsv(await page.text())
  assert.deepEqual([newest?.prediction, others.length], [rows[2]?.prediction, 0])
  const next = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1] ?? ''
  const [older] = parseCsv(await (await call(next)).text())
  assert.equal(older?.prediction, first?.prediction)
  assert.equal((await call('/api/v1/predictions?format=xml')).status, 422)

  for (const accept of ['*/*', 'application/x-ndjson, text/csv;q=0.5', 'application/json']) {
    const other = await ask(accept)
    assert.equal(other.headers.get('content-type'), 'application/x-ndjson', accept)
    await other.body?.cancel()
  }
})

test('text that begins like a formula is disarmed, a negative number stays a number', () => {
  const prediction = aPrediction({ version: VERSION, positive: 0.25 })
  const csv = predictionCsv(['=1+1', 'NORMAL'])
  assert.match(csv.header, /,"probability =1\+1",/)
  for (const [file, cell] of [
    ['=1+1', "'=1+1"],
    ['+A1', "'+A1"],
    ['-2', "'-2"],
    ['@SUM', "'@SUM"],
    ['＝x', "'＝x"],
    ['\t=x', `"' =x"`],
    [' =a,"b"', `"' =a,""b"""`],
    ['a\r\nb', '"a b"'],
    ['plain.png', 'plain.png'],
  ] as const) {
    assert.equal(
      csv.line({ n: 1, file, result: prediction }).split(`1,${cell},read,`).length,
      2,
      file,
    )
  }
  const warned = { ...prediction, warnings: ['-1 is text', 'b'] }
  assert.match(csv.line({ n: 1, result: warned }), /,"'-1 is text \| b",/)
  const negative = { ...prediction, decision: { ...prediction.decision, threshold: -0.5 } }
  assert.match(csv.line({ n: 1, result: negative }), /,-0\.5,/)
})

test('every line has as many cells as the header, also one of a problem', () => {
  const csv = predictionCsv(['NORMAL', 'PNEUMONIA'])
  const width = csv.header.split(',').length
  const problem = problemOf(new AppError('undecodable-image', 'Damaged; export it again.'))
  assert.equal(csv.line({ n: 2, result: problem }).split(',').length, width)
  const read = aPrediction({ version: VERSION, positive: 0.9 })
  assert.equal(csv.line({ n: 1, result: read }).split(',').length, width)
})
