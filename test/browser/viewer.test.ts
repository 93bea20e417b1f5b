// What scripts add for the eye and the hand: drop, paste, preview, opacity, keys, zoom, the difference of two maps.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { launchBrowser } from './chromium.ts'
import { type ExampleResults, exampleResults } from './results.ts'
import { type StartedServer, startServer } from './started-server.ts'

let server: StartedServer
let browser: Browser
let page: Page
let results: ExampleResults

before(async () => {
  // One after the other: what has started is known to `after` even when the next fails.
  server = await startServer()
  browser = await launchBrowser()
  page = await browser.newPage({ baseURL: server.url })
  results = await exampleResults(server.url)
})

after(async () => {
  await browser?.close()
  await server?.stop()
})

async function picture(): Promise<string> {
  const background = { r: 90, g: 90, b: 90 }
  const create = { width: 64, height: 48, channels: 3, background } as const
  return (await sharp({ create }).png().toBuffer()).toString('base64')
}

/** Hands the page an image as a drop or a paste would. */
async function give(how: 'drop' | 'paste', base64: string): Promise<void> {
  await page.evaluate(
    `(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(base64)}), (c) => c.charCodeAt(0))
      const data = new DataTransfer()
      data.items.add(new File([bytes], 'given.png', { type: 'image/png' }))
      const event = ${JSON.stringify(how)} === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
        : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
      document.body.dispatchEvent(event)
    })()`,
  )
}

for (const how of ['drop', 'paste'] as const) {
  test(`an image given by ${how} is shown before it is sent, and then diagnosed`, async () => {
    await page.goto('/?condition=pneumonia')
    await give(how, await picture())
    await page.locator('[data-stage-preview]').waitFor({ state: 'visible' })
    assert.match(await page.locator('[data-drop-title]').innerText(), /given\.png/)
    await page.getByRole('button', { name: 'Diagnose' }).click()
    await page.locator('#result .decision').waitFor()
    assert.match(page.url(), /\/predictions\//)
    assert.match(await page.locator('[data-progress-words]').innerText(), /^Decision: /)
  })
}

test('going back after a result gives the diagnose page again', async () => {
  await page.goto('/?condition=pneumonia')
  await give('drop', await picture())
  await page.getByRole('button', { name: 'Diagnose' }).click()
  await page.locator('#result .decision').waitFor()
  await page.goBack()
  await page.getByText('Your image will appear here').waitFor()
})

test('a server that does not answer is said to be so, and the image is not lost', async () => {
  await page.goto('/?condition=pneumonia')
  await give('drop', await picture())
  await page.route('**/predictions', (route) => route.abort())
  await page.getByRole('button', { name: 'Diagnose' }).click()
  await page.getByText('No response from the server').waitFor()
  await page.unroute('**/predictions')
  await page.getByRole('button', { name: 'Diagnose' }).click()
  await page.locator('#result .decision').waitFor()
})

test('opacity, heatmap and inversion follow slider and keys', async () => {
  await page.goto(`/predictions/${results.left}`)
  const heat = page.locator('.film-heat')
  const style = (name: string) =>
    heat.evaluate((element, property) => {
      const read = globalThis as unknown as { getComputedStyle(e: unknown): Record<string, string> }
      return read.getComputedStyle(element)[property]
    }, name)
  await page.getByLabel('Opacity').fill('30')
  assert.equal(await style('opacity'), '0.3')
  await page.getByLabel('Opacity').blur()
  await page.keyboard.press(']')
  assert.equal(await style('opacity'), '0.4')
  await page.keyboard.press('h')
  assert.equal(await style('visibility'), 'hidden')
  await page.keyboard.press('h')
  assert.equal(await style('visibility'), 'visible')
  await page.keyboard.press('i')
  assert.equal(await page.getByLabel('Invert').isChecked(), true)
})

test('two films zoom together and never show beyond their edges', async () => {
  await page.goto(`/compare?left=${results.left}&right=${results.right}`)
  for (let i = 0; i < 3; i++) await page.keyboard.press('+')
  const transforms = await page
    .locator('.film-stack')
    .evaluateAll((all) =>
      all.map((one) => (one as unknown as { style: { transform: string } }).style.transform),
    )
  assert.equal(transforms.length, 2)
  assert.equal(transforms[0], transforms[1])
  assert.match(transforms[0] ?? '', /scale\(1\.95/)
  await page.keyboard.press('0')
  assert.equal(await page.locator('[data-film-zoom-value]').innerText(), '100%')
})

test('both maps of a comparison are drawn at the scale that they share', async () => {
  await page.goto(`/compare?left=${results.left}&right=${results.right}`)
  const legends = await page.locator('.legend').allInnerTexts()
  assert.equal(legends.length, 2)
  for (const text of legends) assert.match(text, /Shared scale/)
})

test('the difference of two maps is drawn from the overlays and put into words', async () => {
  await page.goto(`/compare?left=${results.left}&right=${results.right}`)
  await page.getByText('Where the heatmaps differ').click()
  const words = page.locator('[data-difference-words]')
  await words.filter({ hasText: 'Largest difference' }).waitFor()
  const painted = await page.locator('[data-difference-canvas]').evaluate((element) => {
    const canvas = element as unknown as {
      width: number
      height: number
      getContext(kind: '2d'): {
        getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray }
      }
    }
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return data.some((value) => value > 0)
  })
  assert.equal(painted, true)
})

test('only the versions of the chosen condition are offered, the active one first', async () => {
  await page.goto('/compare')
  const tiles = await page.locator('[name=condition]').all()
  for (const tile of tiles) {
    const id = await tile.getAttribute('value')
    await tile.check()
    const groups = await page
      .locator('#a optgroup')
      .evaluateAll((all) =>
        all.map((one) => (one as unknown as { dataset: { condition: string } }).dataset.condition),
      )
    assert.deepEqual(groups, [id])
    assert.notEqual(await page.locator('#a').inputValue(), await page.locator('#b').inputValue())
  }
})
