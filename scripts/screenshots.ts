// The pictures of the README: a server with the demonstration models, the three jobs done in a browser, each page shot.
// Writes docs/images/*.png, or into the folder given: npm run screenshots [-- <folder>]
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { launchBrowser } from '../test/browser/chromium.ts'
import { exampleResults } from '../test/browser/results.ts'
import { startServer } from '../test/browser/started-server.ts'

const FOLDER = resolve(
  process.argv[2] ?? fileURLToPath(new URL('../docs/images/', import.meta.url)),
)
const MAX_BYTES = 250 * 1024
const WIDE = { width: 1360, height: 850 }
const CONDITION = 'pneumonia'

/** As few colours as keep it under the limit. @throws when not even 16 do */
async function compress(png: Buffer): Promise<Buffer> {
  for (const colours of [256, 128, 64, 32, 16]) {
    const small = await sharp(png).png({ palette: true, colours, effort: 10 }).toBuffer()
    if (small.length <= MAX_BYTES) return small
  }
  throw new Error('a picture cannot be made small enough; shoot less of the page')
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle')
  const picture = await compress(await page.screenshot())
  await writeFile(join(FOLDER, `${name}.png`), picture)
  console.log(`${name}.png ${Math.round(picture.length / 1024)} KiB`)
}

/** Activates the other version and rolls back, so that the history has something to tell. */
async function makeHistory(page: Page): Promise<void> {
  await page.goto(`/conditions/${CONDITION}`)
  await page.locator('#activate-reason').fill('trying the other model on this week’s films')
  await page.locator('#activate-force').check()
  await page.locator('form:has(#activate-reason) button[type=submit]').click()
  await page.getByText('trying the other model').waitFor()
  await page.locator('#rollback-reason').fill('more false alarms than before')
  await page.getByRole('button', { name: /^Roll back to/ }).click()
  await page.getByText('more false alarms').waitFor()
  await page.locator('.steps summary').first().click()
}

/** Some results for the list. */
async function readExamples(page: Page): Promise<void> {
  await page.goto('/')
  const count = await page.locator('.examples .example').count()
  for (let index = 0; index < Math.min(count, 11); index += 1) {
    await page.goto('/')
    await page.locator('.examples .example').nth(index).click()
    await page.locator('#result .decision').waitFor()
  }
}

async function shootAll(browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage({ baseURL: url, viewport: WIDE, colorScheme: 'dark' })
  await page.goto('/')
  await shoot(page, 'diagnose')
  await readExamples(page)
  await page.goto('/predictions')
  await shoot(page, 'predictions')
  // Examples take turns by class, the first of them normal: the second has the finding.
  const { left, right } = await exampleResults(url, { condition: CONDITION, which: 1 })
  await page.goto(`/predictions/${left}`)
  await shoot(page, 'result')
  await page.setViewportSize({ ...WIDE, height: 1150 })
  await page.goto(`/compare?left=${left}&right=${right}`)
  await shoot(page, 'compare')
  await page.setViewportSize(WIDE)
  await page.goto('/models?sort=accuracy')
  await shoot(page, 'models')
  await makeHistory(page)
  await shoot(page, 'condition')
  await page.close()
}

await mkdir(FOLDER, { recursive: true })
const [server, browser] = await Promise.all([startServer(), launchBrowser()])
try {
  await shootAll(browser, server.url)
} finally {
  await browser.close()
  await server.stop()
}
