// The commands on a home that no server runs on: each opens it in its own process and gives it back.
import assert from 'node:assert/strict'
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import sharp from 'sharp'
import type { Activation } from '../../src/registry/activation/activations.ts'
import { lockHome } from '../../src/registry/home/home-lock.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { image } from '../inference/tiny-package.ts'
import { homeFolders, storePackage } from '../support/home.ts'
import { assertRefused, roentgen, roentgenJson } from './run-cli.ts'

/** A home with versions 1 and 2 of pneumonia/tiny, and ways to command it. */
async function homeWithTwo(t: TestContext) {
  const folders = await homeFolders(t)
  const first = await storePackage(folders, { seed: 1, accuracy: 0.8 })
  const second = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const { env, root } = folders
  const picture = join(root, 'chest.png')
  await writeFile(picture, await image(5))
  const run = (...words: string[]) => roentgen(words, { env, cwd: root })
  const json = <T>(...words: string[]) => roentgenJson<T>(words, { env, cwd: root })
  return { ...folders, first, second, picture, run, json }
}

test('activate, history and rollback change what answers and say who did it', async (t) => {
  const { first, second, run, json } = await homeWithTwo(t)
  const activated = await json<Activation>('activate', first.id, '--reason', 'first of all')
  assert.deepEqual([activated.version, activated.via], [first.id, 'cli'])
  assert.equal(activated.outcome, 'activated')

  const said = await run('activate', second.id)
  assert.equal(said.status, 0, said.stderr)
  assert.match(said.stdout, /^pneumonia\/tiny@2 answers for pneumonia since .+, before it .+@1\.\n/)
  assert.match(said.stdout, /passed golden/)
  const back = await json<Activation>('rollback', 'pneumonia', '--reason', 'misses effusions')
  assert.deepEqual([back.version, back.previous], [first.id, second.id])

  const { items } = await json<{ items: Activation[] }>('history', 'pneumonia')
  assert.deepEqual(
    items.map(({ version, reason }) => [version, reason]),
    [
      [first.id, 'misses effusions'],
      [second.id, 'from the command line'],
      [first.id, 'first of all'],
    ],
  )
  const table = await run('history', 'pneumonia', '--at', items[1]?.at ?? '')
  assert.match(table.stdout, /^at +outcome +version.*\n[^\n]*pneumonia\/tiny@2[^\n]*\n$/)
  const listed = await run('versions', 'list', '--sort', 'accuracy')
  assert.match(listed.stdout, /tiny@2 +verified[\s\S]*tiny@1 \* +verified/)
})

test('predict prints label, calibrated probability, decision and version, and writes the heatmap', async (t) => {
  const { first, picture, root, run, json } = await homeWithTwo(t)
  await run('activate', first.id)
  const map = join(root, 'map.png')
  const said = await run('predict', picture, '--condition', 'pneumonia', '--heatmap', map)
  assert.equal(said.status, 0, said.stderr)
  assert.match(said.stdout, /decision +(NORMAL|PNEUMONIA) \((positive|negative)\)/)
  assert.match(said.stdout, /probability +[01]\.\d{3} \((not )?calibrated\)/)
  assert.match(said.stdout, /version +pneumonia\/tiny@1 \(active\)/)
  assert.match(said.stdout, /Not a medical device/)
  const { width, height, hasAlpha } = await sharp(await readFile(map)).metadata()
  assert.deepEqual([width, height, hasAlpha], [24, 20, true])

  // A version that does not answer is asked for by its name.
  const asked = await json<Prediction>(
    ...['predict', picture, '--condition', 'pneumonia', '--version', 'pneumonia/tiny@2'],
    ...['--explain', 'none'],
  )
  assert.deepEqual(
    [asked.version, asked.role, asked.heatmap],
    ['pneumonia/tiny@2', 'requested', null],
  )
})

test('predict reads what it can of several images, and fails when one cannot be read', async (t) => {
  const { first, picture, root, run } = await homeWithTwo(t)
  await run('activate', first.id)
  const text = join(root, 'notes.jpg')
  await writeFile(text, 'no picture')
  const ended = await run('predict', text, picture, '--condition', 'pneumonia', '--json')
  assert.equal(ended.status, 1)
  assert.equal((JSON.parse(ended.stdout) as Prediction).version, first.id)
  assert.match(ended.stderr, /notes\.jpg: This file is a text file[\s\S]*1 of 2 images failed/)
})

test('a package leaves as a zip and comes back under its former digest', async (t) => {
  const { first, run, json, root } = await homeWithTwo(t)
  const exported = await run('export', first.id)
  assert.equal(exported.status, 0, exported.stderr)
  const zip = join(root, 'pneumonia-tiny-v1.roentgen.zip')
  assertRefused(await run('export', first.id), /already exists; add --force/)
  assert.equal((await run('export', first.id, '--force')).status, 0)

  const same = await json<Version>('import', zip)
  assert.equal(same.id, first.id)
  const other = { ROENTGEN_MODELS: join(root, 'm2'), ROENTGEN_DATA: join(root, 'd2') }
  const env = { ...other, ROENTGEN_DEMO: 'off' }
  const moved = await roentgenJson<Version>(['import', zip], { env })
  assert.deepEqual([moved.id, moved.sha256], ['pneumonia/tiny@1', first.sha256])
  assert.deepEqual(
    (await readdir(root)).filter((name) => name.endsWith('.part')),
    [],
  )
})

test('a folder with a package is imported as it is', async (t) => {
  const { second, root, json } = await homeWithTwo(t)
  const env = {
    ROENTGEN_MODELS: join(root, 'm3'),
    ROENTGEN_DATA: join(root, 'd3'),
    ROENTGEN_DEMO: 'off',
  }
  assert.equal((await json<Version>('import', second.dir)).id, second.id)
  const version = await roentgenJson<Version>(['import', second.dir], { env })
  assert.deepEqual([version.id, version.sha256], ['pneumonia/tiny@1', second.sha256])
})

test('verify names the package of which one byte was added, and fails', async (t) => {
  const { first, second, run } = await homeWithTwo(t)
  const intact = await run('verify')
  assert.equal(intact.status, 0, intact.stderr)
  assert.match(intact.stdout, /2 packages are intact/)
  await appendFile(join(second.dir, 'configs', 'model.json'), ' ')
  const damaged = await run('verify')
  assert.equal(damaged.status, 1)
  assert.match(damaged.stdout, /^intact {3}pneumonia\/tiny@1/m)
  assert.match(damaged.stdout, /^DAMAGED {2}pneumonia\/tiny@2 .*configs\/model\.json/m)
  assert.match(damaged.stderr, /roentgen: 1 of 2 packages are damaged\.\n$/)
  assert.equal((await run('verify', first.id)).status, 0)
  assertRefused(await run('activate', second.id), /differs from its manifest/)
})

test('a home that is held by somebody who does not answer is left alone', async (t) => {
  const { env, dataDir } = await homeFolders(t)
  const lock = lockHome(dataDir)
  t.after(() => lock.release())
  assertRefused(await roentgen(['condition', 'list'], { env }), /Another Roentgen is running/)
})

test('a wrong setting stops every command with a line that names it', async (t) => {
  const { env } = await homeFolders(t)
  const wrong = { ...env, ROENTGEN_THREADS: 'many' }
  assertRefused(await roentgen(['condition', 'list'], { env: wrong }), /ROENTGEN_THREADS is "many"/)
})

test('a file left by a server that was killed does not keep commands out', async (t) => {
  const { env, dataDir } = await homeFolders(t)
  await mkdir(dirname(join(dataDir, 'x')), { recursive: true })
  const stale = {
    address: 'http://127.0.0.1:9',
    token: '0'.repeat(64),
    pid: 1,
    startedAt: new Date(0).toISOString(),
    version: '0.0.0',
  }
  await writeFile(join(dataDir, 'server.json'), JSON.stringify(stale))
  assert.deepEqual(await roentgenJson(['condition', 'list'], { env }), [])
  await rm(join(dataDir, 'server.json'))
})
