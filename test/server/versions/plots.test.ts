// Plots of a version in its page and as files, also of packages that were made before there were plots.
import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'node-html-parser'
import { homeFolders, jsonOf, openedHome, storePackage } from '../../support/home.ts'

const DEMO = fileURLToPath(new URL('../../../models/pneumonia/tiny-cnn-demo/v1', import.meta.url))

test('a version shows its plots, drawn from what its package says, and gives them as files', async (t) => {
  const folders = await homeFolders(t)
  await cp(DEMO, join(folders.modelsDir, 'pneumonia/tiny-cnn-demo/v1'), { recursive: true })
  const { call } = await openedHome(folders)
  const page = parse(await (await call('/models/pneumonia/tiny-cnn-demo/1')).text())
  const section = page.querySelector('section[aria-label="Plots"]')
  assert.deepEqual(
    section
      ?.querySelectorAll('svg.plot')
      .map((svg) => svg.getAttribute('aria-label')?.split(':')[0]),
    [
      'Loss by epoch',
      'Accuracy by epoch',
      'Confusion matrix',
      'ROC curve',
      'Precision-recall curve',
      'Reliability',
    ],
  )
  assert.equal(section?.querySelectorAll('[style]').length, 0)
  const links = section?.querySelectorAll('a').map((one) => one.getAttribute('href') ?? '') ?? []
  assert.equal(links.length, 6 * 3 + 3)

  const file = async (name: string) => {
    const response = await call(`/api/v1/versions/pneumonia/tiny-cnn-demo/1/plots/${name}`)
    return { response, bytes: Buffer.from(await response.arrayBuffer()) }
  }
  const png = await file('roc.png')
  assert.equal(png.response.headers.get('content-type'), 'image/png')
  assert.deepEqual([...png.bytes.subarray(1, 4)], [...Buffer.from('PNG')])
  assert.match(
    png.response.headers.get('content-disposition') ?? '',
    /attachment; filename="pneumonia-tiny-cnn-demo-1-roc\.png"/,
  )
  assert.equal((await file('training_curves.pdf')).bytes.subarray(0, 5).toString(), '%PDF-')
  assert.match((await file('reliability.svg')).bytes.toString(), /^<svg xmlns=/)
  for (const wrong of [
    'roc.exe',
    'nothing.png',
    '..%2Fmanifest.json',
    'roc',
    'roc.constructor',
    'roc.__proto__',
    'constructor.png',
    'roc.png.png',
  ]) {
    const { response, bytes } = await file(wrong)
    assert.equal(response.status, 404, wrong)
    assert.match(JSON.parse(bytes.toString()).detail, /no such plot; it has training_curves, /)
  }
})

test('a version whose package says nothing about its results has no plots, and says so', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  const { call } = await openedHome(folders)
  const page = await call('/models/pneumonia/tiny/1')
  assert.equal(page.status, 200)
  assert.doesNotMatch(await page.text(), /aria-label="Plots"/)
  const response = await call('/api/v1/versions/pneumonia/tiny/1/plots/roc.png')
  assert.equal(response.status, 404)
  assert.match((await jsonOf<{ detail: string }>(response)).detail, /no results to plot/)
})
