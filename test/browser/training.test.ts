// A training clicked through in a real browser: scan, prepare, start, watch it live without loading the page again, pause,
// go on, stop; and a second tab that is opened later sees the same.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import axe from 'axe-core'
import { homeFolders, servedHome } from '../support/home.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import { launchBrowser } from './chromium.ts'

test('a training is started, watched live, paused, resumed and stopped from its page', async (t) => {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), 60)
  const server = await servedHome(folders)
  const browser = await launchBrowser()
  t.after(() => browser.close())
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: 'SICK', positive: true },
  ]
  await fetch(`${server.url}/api/v1/conditions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'spots', name: 'Spots', kind: 'binary', classes }),
  })
  const context = await browser.newContext({ baseURL: server.url })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto('/datasets')
  await page.getByRole('button', { name: 'Scan spots' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.getByLabel('Condition').selectOption('spots')
  await page.getByLabel('Image size').fill('32')
  await page.getByRole('button', { name: 'Prepare' }).click()
  await page.getByRole('link', { name: 'Train on it' }).click()
  await page.getByText('More settings').click()
  await page.getByLabel('Epochs', { exact: true }).fill('1000')
  await page.getByLabel('Early stopping').fill('0')
  await page.getByLabel('Batch size').fill('8')
  await page.getByLabel('Image size').fill('32')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL(/\/training\/.+/)

  await page.locator('.curves polyline').first().waitFor()
  const words = page.locator('[data-run-words]')
  const first = await words.innerText()
  await words.filter({ hasNotText: first }).waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('button', { name: 'Resume' }).waitFor()
  assert.match(await page.locator('.run-state').innerText(), /paused/)

  const tab = await context.newPage()
  await tab.goto(page.url())
  assert.equal(await tab.locator('[data-run-words]').innerText(), await words.innerText())
  await tab.evaluate(axe.source)
  const { violations } = (await tab.evaluate('axe.run()')) as axe.AxeResults
  assert.deepEqual(
    violations.map(({ id }) => id),
    [],
  )
  await tab.close()

  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByRole('button', { name: 'Pause' }).waitFor()
  await page.getByRole('button', { name: 'Stop and keep the best' }).click()
  await page.getByRole('link', { name: 'spots/tiny-cnn-quick@1' }).waitFor()
  assert.equal(await page.locator('[data-run-events]').count(), 0)
  assert.match(await page.locator('.run-log').innerText(), /finished: tiny-cnn-quick/)
  assert.deepEqual(complaints, [])
  await context.close()
})
