// Several versions side by side: the page, the API and the files to take away, on the demonstration's real packages.
import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'node-html-parser'
import { fromBuffer } from 'yauzl'
import { homeFolders, jsonOf, openedHome } from '../../support/home.ts'

const MODELS = fileURLToPath(new URL('../../../models/', import.meta.url))
const A = 'pneumonia/tiny-cnn-demo@1'
const B = 'pneumonia/tiny-mobilenet-demo@1'
const query = (...versions: string[]) =>
  versions.map((id) => `version=${encodeURIComponent(id)}`).join('&')

async function opened(t: TestContext) {
  const folders = await homeFolders(t)
  for (const name of [
    'pneumonia/tiny-cnn-demo',
    'pneumonia/tiny-mobilenet-demo',
    'skin-lesion/tiny-cnn-demo',
  ]) {
    await cp(join(MODELS, name), join(folders.modelsDir, name), { recursive: true })
  }
  return openedHome(folders)
}

test('the page shows figures with intervals, paired tests, curves and what differs; ranked as asked for', async (t) => {
  const { call } = await opened(t)
  const empty = await call('/models/compare?condition=pneumonia')
  assert.equal(empty.status, 200)
  const form = parse(await empty.text())
  assert.equal(form.querySelectorAll('input[name=version]').length, 2)
  const answer = await call(`/models/compare?${query(A, B)}&rank=ece`)
  assert.equal(answer.status, 200)
  const root = parse(await answer.text())
  assert.equal(root.querySelectorAll('h1').length, 1)
  assert.match(root.text, /no difference is significant/)
  assert.doesNotMatch(root.text, /most accurate (significant)/)
  assert.equal(root.querySelector('[aria-label=Figures] tbody th')?.text.trim().split(/\s/)[0], A)
  assert.equal(root.querySelectorAll('svg.plot').length, 8)
  assert.equal(root.querySelectorAll('[style]').length, 0)
  const json = await jsonOf<{ models: unknown[]; pairs: unknown[] }>(
    await call(`/api/v1/comparisons?${query(A, B)}`),
  )
  assert.deepEqual([json.models.length, json.pairs.length], [2, 1])
})

test('the export holds results, tables and plots', async (t) => {
  const { call } = await opened(t)
  const answer = await call(`/api/v1/comparisons/export?${query(A, B)}`)
  assert.equal(answer.headers.get('content-type'), 'application/zip')
  const bytes = Buffer.from(await answer.arrayBuffer())
  const names = await new Promise<string[]>((resolve, reject) => {
    fromBuffer(bytes, (error, zip) => {
      if (error) return reject(error)
      const found: string[] = []
      zip.on('entry', ({ fileName }: { fileName: string }) => found.push(fileName))
      zip.on('end', () => resolve(found))
    })
  })
  for (const name of ['comparison_results.json', 'comparison_tables.tex', 'comparison_roc.png']) {
    assert.ok(names.includes(name), name)
  }
})

test('one version, versions of two conditions and unknown ones are refused with a sentence', async (t) => {
  const { call } = await opened(t)
  for (const [versions, status] of [
    [[A], 422],
    [[A, A], 422],
    [[A, 'skin-lesion/tiny-cnn-demo@1'], 422],
    [[A, 'pneumonia/none@1'], 404],
    [[A, 'nonsense'], 404],
  ] as const) {
    const answer = await call(`/api/v1/comparisons?${query(...versions)}`)
    assert.equal(answer.status, status, versions.join())
    const page = await call(`/models/compare?${query(...versions)}`)
    assert.equal(page.status, status)
    assert.match(await page.text(), /<h1>Compare versions<\/h1>/)
  }
})
