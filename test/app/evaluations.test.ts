// External validation: a version on labelled images from elsewhere, by API, command and page.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { parse } from 'node-html-parser'
import type { Evaluation, EvaluationLine } from '../../src/app/evaluations/evaluate-version.ts'
import { roentgen } from '../cli/run-cli.ts'
import { image } from '../inference/tiny-package.ts'
import {
  type Folders,
  homeFolders,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../support/home.ts'

const TINY = '/api/v1/versions/pneumonia/tiny/1'

/** 24 different images in two class folders, one that is broken, one twice and one of another class. */
async function chest(folders: Folders): Promise<string> {
  const dir = join(folders.env.ROENTGEN_DATASETS ?? '', 'chest-b')
  for (let seed = 1; seed <= 24; seed++) {
    const folder = join(dir, seed % 2 ? 'normal' : 'pneumonia')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `${seed}.png`), await image(seed))
  }
  await writeFile(join(dir, 'normal', 'again.png'), await image(1))
  await writeFile(join(dir, 'normal', 'broken.png'), 'no image')
  await mkdir(join(dir, 'tuberculosis'))
  await writeFile(join(dir, 'tuberculosis', '25.png'), await image(25))
  return dir
}

async function linesOf(response: Response): Promise<EvaluationLine[]> {
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  const lines = (await response.text()).trim().split('\n')
  return lines.map((line) => JSON.parse(line) as EvaluationLine)
}

function resultOf(lines: readonly EvaluationLine[]): Evaluation {
  const last = lines.at(-1)
  assert.ok(last && 'evaluation' in last)
  return last.evaluation
}

test('a version is measured image by image; what was found is kept and makes it comparable', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  await chest(folders)
  const { call } = await openedHome(folders)
  const evaluate = (body: object) => call(`${TINY}/evaluate`, jsonBody(body))
  const status = async () => (await jsonOf<{ status: string }>(await call(TINY))).status
  assert.equal(await status(), 'unevaluated')

  const response = await evaluate({ dataset: 'chest-b' })
  assert.equal(response.status, 200)
  const lines = await linesOf(response)
  const found = resultOf(lines)
  const { assessment, figures, leftOut } = found.report
  assert.deepEqual(
    [found.dataset, found.split, found.metrics.n, found.isEvidence],
    ['chest-b', 'all', 24, true],
  )
  assert.deepEqual(leftOut.files.map(({ file }) => file).sort(), [
    'normal/again.png',
    'normal/broken.png',
    'tuberculosis/25.png',
  ])
  assert.match(
    leftOut.files.find(({ file }) => file.startsWith('tub'))?.reason ?? '',
    /not a class of/,
  )
  assert.equal(lines.filter((line) => 'problem' in line).length, 1)
  const [tn = 0, fp = 0, fn = 0, tp = 0] = assessment.confusion?.flat() ?? []
  assert.deepEqual([tn + fp, fn + tp], [12, 12])
  assert.equal(found.metrics.accuracy, (tp + tn) / 24)
  assert.ok(assessment.finding.sensitivity.interval && assessment.quality.raw.eceInterval)
  assert.equal(figures.curves.length, 1)
  assert.match(
    found.report.warnings.join(' '),
    /Only 24 images.*no internal test results to compare with/,
  )
  assert.equal(await status(), 'verified')

  const again = resultOf(await linesOf(await evaluate({ dataset: 'chest-b' })))
  assert.deepEqual(again.metrics, found.metrics, 'the same images give the same figures')
  const list = await jsonOf<{ items: Evaluation[] }>(await call(`${TINY}/evaluations`))
  assert.deepEqual(
    list.items.map((one) => one.id),
    [again.id, found.id],
  )
  assert.deepEqual(await jsonOf(await call(`${TINY}/evaluations/${found.id}`)), found)

  for (const [body, code] of [
    [{ dataset: '../chest-b' }, 422],
    [{ dataset: 'nowhere' }, 404],
    [{ dataset: 'chest-b', split: 'test' }, 409],
    [{ dataset: 'chest-b/tuberculosis' }, 422],
    [{ dataset: 'chest-b', split: 'half' }, 422],
    [{}, 422],
  ] as const) {
    const refused = await evaluate(body)
    assert.equal(refused.status, code, JSON.stringify(body))
    assert.equal(refused.headers.get('content-type'), 'application/problem+json')
  }
  assert.equal((await call(`${TINY}/evaluations/none`)).status, 404)
})

test('of images that cannot be read nothing is kept, and both program and command say so', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1 })
  const dir = join(folders.env.ROENTGEN_DATASETS ?? '', 'broken', 'normal')
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'one.png'), 'no image')
  const { home, call } = await openedHome(folders)
  const response = await call(`${TINY}/evaluate`, jsonBody({ dataset: 'broken' }))
  const last = JSON.parse((await response.text()).trim().split('\n').at(-1) ?? '')
  assert.match(last.problem.detail, /^None of the 1 images could be analysed\.$/)
  assert.deepEqual((await jsonOf(await call(`${TINY}/evaluations`))).items, [])
  await home.close()
  const { status, stderr } = await roentgen(['evaluate', id, '--dataset', 'broken'], folders)
  assert.equal(status, 1)
  assert.match(stderr, /roentgen: None of the 1 images could be analysed\.\n$/)
})

test('the command prints figures with intervals, warnings first, and JSON for programs', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1, accuracy: 0.99 })
  await chest(folders)
  const run = (...words: string[]) =>
    roentgen(['evaluate', 'pneumonia/tiny@1', '--dataset', 'chest-b', ...words], folders)
  const plain = await run()
  assert.equal(plain.status, 0, plain.stderr)
  assert.match(plain.stdout, /^! /)
  assert.match(plain.stdout, /sensitivity\s+[\d.<>]+ \([\d.<>]+ to [\d.<>]+\)/)
  assert.match(plain.stderr, /broken\.png: /)
  const json = await run('--json')
  assert.equal((JSON.parse(json.stdout) as Evaluation).metrics.n, 24)
  const wrong = await run('--split', 'half')
  assert.notEqual(wrong.status, 0)
  assert.match(wrong.stderr, /Allowed choices are train, validation/)
})

test('a page begins an evaluation, shows how far it is, and then what was found', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  await chest(folders)
  const { home, call } = await openedHome(folders)
  const send = (fields: Record<string, string>) =>
    call('/models/pneumonia/tiny/1/evaluations', {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
    })
  const begun = await send({ dataset: 'chest-b', split: '' })
  assert.equal(begun.status, 303)
  assert.equal(begun.headers.get('location'), '/models/pneumonia/tiny/1#evaluations')
  // What the section asks for while it runs: far sooner than a host can start and read 26 images.
  const section = await (await call('/models/pneumonia/tiny/1/evaluations')).text()
  assert.match(section, /of 26 images of chest-b/)
  assert.match(section, /hx-trigger="every 2s"/)
  await home.jobs.whenIdle()
  const page = parse(await (await call('/models/pneumonia/tiny/1')).text())
  const link = page.querySelector('#evaluations table a')?.getAttribute('href') ?? ''
  const shown = await call(link)
  assert.equal(shown.status, 200)
  const text = await shown.text()
  assert.match(text, /Only 24 images/)
  assert.equal(parse(text).querySelectorAll('svg.plot').length, 4)

  const wrong = await send({ dataset: 'nowhere' })
  assert.equal(wrong.status, 404)
  assert.match(await wrong.text(), /There is no folder/)
  assert.equal((await call('/models/pneumonia/tiny/1/evaluations/none')).status, 404)
})
