// Every page in a real browser: usable by everyone (axe), in dark and light, wide and narrow, under the server's own policy.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import axe from 'axe-core'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './chromium.ts'
import { madePages } from './made-pages.ts'
import { exampleResults } from './results.ts'
import { type StartedServer, startServer } from './started-server.ts'

/** ROENTGEN_SCREENS=1 takes a picture of every page, to be looked at; ignored by git. */
const TAKES_SCREENS = process.env.ROENTGEN_SCREENS === '1'
const SCREENS = fileURLToPath(new URL('screens/', import.meta.url))

/** All rules once; then those that another scheme of colours or another width can break. */
const LOOKS = {
  dark: { colorScheme: 'dark', width: 1440, rules: undefined },
  light: { colorScheme: 'light', width: 1440, rules: ['color-contrast', 'link-in-text-block'] },
  narrow: {
    colorScheme: 'dark',
    width: 360,
    rules: ['color-contrast', 'scrollable-region-focusable', 'meta-viewport'],
  },
} as const

let server: StartedServer
let browser: Browser
let addresses: Readonly<Record<string, string>>

before(async () => {
  // One after the other: what has started is known to `after` even when the next fails.
  server = await startServer()
  browser = await launchBrowser()
  const { left, right, version } = await exampleResults(server.url)
  const image = await (await fetch(`${server.url}/predictions/${left}/image`)).blob()
  addresses = {
    diagnose: '/',
    result: `/predictions/${left}`,
    predictions: '/predictions',
    batch: '/batch',
    batchRead: await readBatch(image),
    archive: '/archive',
    compare: '/compare',
    comparison: `/compare?left=${left}&right=${right}`,
    models: '/models?sort=accuracy',
    model: `/models/${version.replace('@', '/')}`,
    conditions: '/conditions',
    condition: '/conditions/pneumonia',
    datasets: '/datasets',
    training: '/training',
    status: '/status',
    api: '/api/docs',
    error: '/predictions/nothing',
    ...(await madePages(server, image)),
  }
  if (TAKES_SCREENS) await mkdir(SCREENS, { recursive: true })
})

/** Two images, one of them none, sent as the form would; the address of their table. */
async function readBatch(picture: Blob): Promise<string> {
  const body = new FormData()
  body.set('condition', 'pneumonia')
  body.append('image', picture, 'chest.png')
  body.append('image', new Blob(['no image']), 'notes.txt')
  const response = await fetch(`${server.url}/batch`, { method: 'POST', body, redirect: 'manual' })
  return response.headers.get('location') ?? ''
}

after(async () => {
  await browser?.close()
  await server?.stop()
})

for (const [look, { colorScheme, width, rules }] of Object.entries(LOOKS)) {
  test(`every page is accessible, complete and inside the window: ${look}`, async () => {
    const viewport = { width, height: look === 'narrow' ? 740 : 900 }
    const context = await browser.newContext({ colorScheme, viewport, baseURL: server.url })
    const options = rules ? { runOnly: { type: 'rule', values: rules } } : {}
    const found: string[] = []
    try {
      const page = await context.newPage()
      let name = ''
      const complain = (text: string) => found.push(`${name}: ${text}`)
      page.on('pageerror', (error) => complain(error.message))
      page.on('console', (message) => {
        const isExpected = name === 'error' && message.text().includes('404')
        if (message.type() === 'error' && !isExpected) complain(message.text())
      })
      for (const [one, address] of Object.entries(addresses)) {
        name = one
        await page.goto(address)
        if (TAKES_SCREENS) {
          await page.screenshot({ path: `${SCREENS}${name}-${look}.png`, fullPage: true })
        }
        const excess = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        if (Number(excess) > 0) complain(`is ${excess} px wider than the window`)
        // Handed to the page from outside, as its policy lets no foreign script in.
        await page.evaluate(axe.source)
        const { violations } = (await page.evaluate(
          `axe.run(document, ${JSON.stringify(options)})`,
        )) as axe.AxeResults
        for (const one of violations) complain(`${one.id}: ${one.nodes[0]?.html}`)
      }
    } finally {
      await context.close()
    }
    assert.deepEqual(found, [])
  })
}

test('the keyboard can skip the bar and choose a condition', async () => {
  const context = await browser.newContext({ baseURL: server.url })
  const page = await context.newPage()
  await page.goto('/')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to content')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate('document.activeElement.id'), 'main')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  assert.equal(await page.evaluate('document.activeElement.checked'), true)
  await context.close()
})

test('the chosen colours stay from page to page', async () => {
  const context = await browser.newContext({ baseURL: server.url, colorScheme: 'dark' })
  const page = await context.newPage()
  await page.goto('/')
  const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
  const dark = await ground()
  const button = page.getByRole('button', { name: /Theme/ })
  await button.click()
  await button.click()
  assert.match(await button.innerText(), /light/)
  const light = await ground()
  assert.notEqual(light, dark)
  await page.goto('/models')
  assert.equal(await ground(), light)
  await context.close()
})
