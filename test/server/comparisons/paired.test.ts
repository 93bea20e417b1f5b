// Two versions on many images: a folder with its truth, and predictions that were given out before.
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { PredictionSchema } from '../../../src/server/predictions/schema.ts'
import type { PairedPrediction, PairedSummary } from '../../../src/statistics/paired-summary.ts'
import { roentgen } from '../../cli/run-cli.ts'
import { image } from '../../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'

type Line = Partial<PairedPrediction> & { summary?: PairedSummary & { failed: number } }

async function linesOf(response: Response): Promise<Line[]> {
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  const text = await response.text()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

test('a folder is read by two versions, image by image, and summed up against its class folders', async (t) => {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const root = folders.env.ROENTGEN_DATASETS ?? ''
  for (let seed = 1; seed <= 6; seed++) {
    const dir = join(root, 'chest', seed % 2 ? 'normal' : 'PNEUMONIA')
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, `${seed}.png`), await image(seed))
  }
  await writeFile(join(root, 'chest', 'normal', 'broken.png'), 'no image')
  const { home, call } = await openedHome(folders)
  const ab = (body: object) => call('/api/v1/conditions/pneumonia/ab', jsonBody(body))
  const lines = await linesOf(await ab({ a: a.id, b: b.id, folder: 'chest' }))
  const summary = lines.at(-1)?.summary
  const pairs = lines.filter((line) => line.a && line.b)
  assert.equal(pairs.length, 6)
  assert.deepEqual([summary?.n, summary?.failed, summary?.truth.n], [6, 1, 6])
  const truths = pairs.map((pair) => [pair.image?.split('/')[0]?.toUpperCase(), pair.truth])
  assert.ok(truths.every(([folder, truth]) => folder === truth))
  const right = (side: 'a' | 'b') => pairs.filter((pair) => pair[side]?.label === pair.truth).length
  assert.deepEqual([summary?.truth.aRight, summary?.truth.bRight], [right('a'), right('b')])
  assert.deepEqual(summary?.auc.map((one) => one.label).sort(), ['NORMAL', 'PNEUMONIA'])

  for (const folder of ['../chest', '/etc', 'nowhere']) {
    const refused = await ab({ a: a.id, b: b.id, folder })
    assert.ok(refused.status === 404 || refused.status === 422, `${folder}: ${refused.status}`)
  }
  assert.equal((await ab({ a: a.id, b: 'pneumonia/tiny@9', folder: 'chest' })).status, 404)

  // The same from a terminal; nobody serves the home then.
  folders.closing.pop()
  await home.close()
  const csv = join(folders.root, 'ab.csv')
  const words = ['ab', a.id, b.id, '--folder', 'chest', '--csv', csv]
  const ended = await roentgen(words, { env: folders.env })
  assert.equal(ended.status, 0, ended.stderr)
  assert.match(ended.stdout, /McNemar +p /)
  const [head = '', ...rows] = (await readFile(csv, 'utf8')).trim().split('\r\n')
  assert.equal(head, 'image,truth,a,b,agree,a NORMAL,b NORMAL,a PNEUMONIA,b PNEUMONIA')
  assert.equal(rows.length, 6)
})

test('what a version read before is read again by another, with what readers said as the truth', async (t) => {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  const read = async (seed: number, version: string) => {
    const form = imageForm({ image: await image(seed), condition: 'pneumonia', version })
    return PredictionSchema.parse(
      await (await call('/api/v1/predict', { method: 'POST', body: form })).json(),
    )
  }
  const past = [await read(1, a.id), await read(2, a.id), await read(3, a.id)]
  await call(`/api/v1/predictions/${past[0]?.id}/feedback`, jsonBody({ verdict: 'agree' }))
  const before = await jsonOf<{ items: unknown[] }>(await call('/api/v1/predictions'))

  const path = `/api/v1/versions/${a.id.replace('@', '/')}/reread`
  const lines = await linesOf(await call(path, jsonBody({ with: b.id })))
  const pairs = lines.slice(0, -1)
  assert.deepEqual(
    pairs.map((pair) => pair.image),
    past.map((one) => one.id).reverse(),
  )
  const now = await read(3, b.id)
  const again = pairs[0]?.b?.probabilities ?? {}
  for (const { label, probability } of now.classes) {
    assert.ok(Math.abs((again[label] ?? 2) - probability) < 1e-6, 'the kept image gives the same')
  }
  assert.deepEqual(
    pairs.map((pair) => pair.truth),
    [null, null, past[0]?.decision.label],
  )
  assert.equal(lines.at(-1)?.summary?.n, 3)
  const after = await jsonOf<{ items: unknown[] }>(await call('/api/v1/predictions'))
  assert.equal(after.items.length, before.items.length + 1, 'only the last reading was stored')
})
