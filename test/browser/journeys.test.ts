// The three jobs, clicked through in a real browser against a real server: diagnose, compare, roll back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import sharp from 'sharp'
import { launchBrowser } from './chromium.ts'
import { type StartedServer, startServer } from './started-server.ts'

let server: StartedServer
let browser: Browser

before(async () => {
  // One after the other: what has started is known to `after` even when the next fails.
  server = await startServer()
  browser = await launchBrowser()
})

after(async () => {
  await browser?.close()
  await server?.stop()
})

/** A new context for each test; what the page complains about fails it. */
async function withPage(
  options: { javaScriptEnabled: boolean },
  work: (page: Page, context: BrowserContext) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ ...options, baseURL: server.url })
  const complaints: string[] = []
  try {
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      // A refusal is the browser's complaint too; whether it was right is for the test to say.
      const isRefusal = /the server responded with a status of 4\d\d/.test(message.text())
      if (message.type() === 'error' && !isRefusal) complaints.push(message.text())
    })
    await work(page, context)
  } finally {
    await context.close()
  }
  assert.deepEqual(complaints, [])
}

const withScripts = { javaScriptEnabled: true }
const withoutScripts = { javaScriptEnabled: false }

/** A picture with some structure, as a file to upload. */
async function picture(name = 'film.png') {
  const noise = { type: 'gaussian', mean: 110, sigma: 40 } as const
  const buffer = await sharp({
    create: { width: 320, height: 280, channels: 3, background: '#000', noise },
  })
    .png()
    .toBuffer()
  return { name, mimeType: 'image/png', buffer }
}

async function activeVersion(): Promise<string> {
  const answer = await fetch(`${server.url}/api/v1/conditions/pneumonia`)
  return ((await answer.json()) as { active: { version: string } }).active.version
}

async function countPredictions(): Promise<number> {
  const answer = await fetch(`${server.url}/api/v1/predictions`)
  return ((await answer.json()) as { items: object[] }).items.length
}

for (const options of [withScripts, withoutScripts]) {
  const how = options.javaScriptEnabled ? 'with scripts' : 'without scripts'

  test(`${how}: an uploaded image is diagnosed and stays at its address`, () =>
    withPage(options, async (page) => {
      await page.goto('/')
      await page.getByRole('radio', { name: /Pneumonia/ }).check()
      await page.locator('input[type=file]').setInputFiles(await picture())
      await page.getByRole('button', { name: 'Diagnose' }).click()
      await page.waitForURL(/\/predictions\/[^/]+$/)
      const label = await page.locator('.decision-label').innerText()
      assert.match(label, /NORMAL|PNEUMONIA/)
      assert.equal(await page.locator('.bar').count(), 2)
      await page.reload()
      assert.equal(await page.locator('.decision-label').innerText(), label)
      const films = page.locator('.film-stack img')
      assert.equal(await films.count(), 2)
      for (const film of await films.all()) {
        await film.evaluate((image) => (image as { decode(): Promise<void> }).decode())
        const width = await film.evaluate(
          (image) => (image as { naturalWidth: number }).naturalWidth,
        )
        assert.equal(width, 320)
      }
    }))

  test(`${how}: an example is diagnosed with one click`, () =>
    withPage(options, async (page) => {
      await page.goto('/')
      await page.locator('.examples .example').first().click()
      await page.locator('.decision-label').waitFor()
      assert.match(page.url(), /\/predictions\//)
    }))

  test(`${how}: a file that is no image is refused in one sentence and nothing is kept`, () =>
    withPage(options, async (page) => {
      const before = await countPredictions()
      await page.goto('/?condition=pneumonia')
      await page.locator('input[type=file]').setInputFiles({
        name: 'notes.png',
        mimeType: 'image/png',
        buffer: Buffer.from('not an image'),
      })
      await page.getByRole('button', { name: 'Diagnose' }).click()
      const alert = page.locator('#result [role=alert]')
      await alert.waitFor()
      assert.match(await alert.innerText(), /unsupported-image|undecodable-image/)
      assert.equal(await countPredictions(), before)
    }))

  test(`${how}: an earlier image is compared with two versions, side by side`, () =>
    withPage(options, async (page) => {
      await page.goto('/predictions')
      await page.locator('.prediction-card a').first().click()
      await page.getByRole('link', { name: 'Compare with another version' }).click()
      const other = await page
        .locator('#b option')
        .evaluateAll((all) => all.map((one) => (one as { value: string }).value))
      const condition = await page.locator('[name=condition]:checked').inputValue()
      const a = await page.locator('#a').inputValue()
      const b = other.find((id) => id.startsWith(`${condition}/`) && id !== a) ?? ''
      await page.locator('#b').selectOption(b)
      await page.getByRole('button', { name: 'Compare', exact: true }).click()
      await page.waitForURL(/\/compare\?left=.+&right=.+/)
      assert.match(await page.locator('.verdict').innerText(), /Both predict|Disagreement/)
      assert.equal(await page.locator('.film').count(), 2)
      assert.ok((await page.locator('.deltas tbody tr').count()) >= 2)
      const first = await page.locator('.side h2').first().innerText()
      await page.getByRole('link', { name: 'Swap A and B' }).click()
      await page.waitForURL(/left=/)
      const second = page.locator('.side h2').last()
      await second.waitFor()
      assert.equal((await second.innerText()).replace(/^B/, 'A'), first)
    }))

  test(`${how}: another version is activated, and one click rolls back to the one before`, () =>
    withPage(options, async (page) => {
      const start = await activeVersion()
      await page.goto('/conditions/pneumonia')
      await page.locator('#activate-reason').fill(`trying the other one ${how}`)
      await page.locator('#activate-force').check()
      await page.locator('form:has(#activate-reason) button[type=submit]').click()
      const newest = page.locator('.event').first()
      await newest.getByText(`trying the other one ${how}`).waitFor()
      const changed = await activeVersion()
      assert.notEqual(changed, start)
      assert.match(await page.locator('.panel-active').innerText(), new RegExp(changed))

      await page.locator('#rollback-reason').fill(`worse on old films ${how}`)
      await page.getByRole('button', { name: /^Roll back to/ }).click()
      await newest.getByText(`worse on old films ${how}`).waitFor()
      assert.equal(await activeVersion(), start)
      assert.match(await page.locator('.panel-active').innerText(), new RegExp(start))
      assert.equal((await newest.locator('.step').count()) > 0, true)
    }))

  test(`${how}: a reader's opinion is kept beside the result, and a result can be deleted`, () =>
    withPage(options, async (page) => {
      await page.goto('/predictions')
      await page.locator('.prediction-card a').first().click()
      const address = page.url()
      await page.getByLabel('Comment').fill('old scar')
      await page.getByRole('button', { name: 'Disagree' }).click()
      await page.locator('.feedback-given', { hasText: 'old scar' }).waitFor()
      page.on('dialog', (dialog) => dialog.accept())
      await page.getByRole('button', { name: 'Delete', exact: true }).click()
      await page.waitForURL(/\/predictions$/)
      const gone = await page.goto(address)
      assert.ok([404, 410].includes(gone?.status() ?? 0))
    }))
}
