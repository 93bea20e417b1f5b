// The commands while a server runs on the same home: they act through it.
import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { Activation } from '../../src/registry/activation/activations.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import { image } from '../inference/tiny-package.ts'
import { homeFolders, imageForm, servedHome, storePackage, untilReady } from '../support/home.ts'
import { assertRefused, roentgen, roentgenJson } from './run-cli.ts'

test('activate, predict, verify, export and rollback go through the running server', async (t) => {
  const folders = await homeFolders(t)
  const { env, root, dataDir } = folders
  const first = await storePackage(folders, { seed: 1, accuracy: 0.8 })
  const second = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const server = await servedHome(folders)
  await untilReady(server.url)
  const json = <T>(...words: string[]) => roentgenJson<T>(words, { env, cwd: root })
  const answering = async (): Promise<string> => {
    const body = imageForm({ image: await image(3), condition: 'pneumonia' })
    const response = await fetch(`${server.url}/api/v1/predict`, { method: 'POST', body })
    return ((await response.json()) as Prediction).version
  }

  const activated = await json<Activation>('activate', first.id)
  assert.equal(activated.via, 'cli')
  assert.equal(await answering(), first.id)
  await json('activate', second.id)
  assert.equal(await answering(), second.id)

  const picture = join(root, 'chest.png')
  await writeFile(picture, await image(3))
  const prediction = await json<Prediction>('predict', picture, '--condition', 'pneumonia')
  assert.deepEqual([prediction.version, prediction.role], [second.id, 'active'])
  const kept = await fetch(`${server.url}/api/v1/predictions/${prediction.id}`)
  assert.equal(kept.status, 200)

  const folder = join(root, 'films')
  await mkdir(folder)
  await writeFile(join(folder, '2.png'), await image(4))
  await writeFile(join(folder, '10.png'), 'no image')
  const csv = join(root, 'answers.csv')
  const many = await roentgen(
    ['predict', picture, folder, '--condition', 'pneumonia', '--json', '--csv', csv],
    { env },
  )
  assert.equal(many.status, 1)
  assert.equal(many.stdout.trim().split('\n').length, 2)
  assert.match(many.stderr, /10\.png: .*\n/)
  assert.match(many.stderr, /reading 3\/3/)
  assert.match(
    await readFile(csv, 'utf8'),
    /^n,file,status[^\n]*\n1,\S*chest\.png,read,[^\n]*\n2,2\.png,read,[^\n]*\n3,10\.png,unsupported-image,/,
  )
  const beyond = ['predict', picture, '--condition', 'pneumonia', '--frame', '2']
  assertRefused(await roentgen(beyond, { env }), /frame|picture/)

  const both = ['--condition', 'pneumonia', '--a', first.id, '--b', second.id]
  const { a, b, agree } = await json<{ a: Prediction; b: Prediction; agree: boolean }>(
    ...['compare', picture, ...both],
  )
  assert.deepEqual([a.version, b.version], [first.id, second.id])
  assert.equal(agree, a.decision.label === b.decision.label)
  const table = await roentgen(['compare', picture, ...both], { env })
  assert.match(table.stdout, /^ +pneumonia\/tiny@1 +pneumonia\/tiny@2 +b - a\n/)
  assert.match(table.stdout, /\nPNEUMONIA +[01]\.\d{3} +[01]\.\d{3} +[+-]?0\.\d{3}\n/)

  assert.equal((await json<{ ok: boolean }[]>('verify')).filter(({ ok }) => ok).length, 2)
  await json('export', first.id, '--out', 'out.zip')
  assert.ok((await stat(join(root, 'out.zip'))).size > 1000)
  await json('rollback', 'pneumonia')
  assert.equal(await answering(), first.id)

  const doctor = await roentgen(['doctor'], { env })
  assert.match(doctor.stdout, new RegExp(`server +running on ${server.url}`))
  assert.equal((await stat(join(dataDir, 'server.json'))).mode & 0o077, 0)
  const another = await roentgen(['serve'], { env })
  assert.equal(another.status, 1)
  assert.match(another.stderr, /^roentgen: Another Roentgen is running[^\n]*\n$/)
})

test('conditions are created, listed and changed', async (t) => {
  const folders = await homeFolders(t)
  const { env } = folders
  await untilReady((await servedHome(folders)).url)
  const run = (...words: string[]) => roentgen(words, { env })
  const created = await roentgenJson<Condition>(
    ['condition', 'create', 'hip', '--classes', 'NORMAL,*FRACTURE', '--body-part', 'hip'],
    { env },
  )
  assert.equal(created.kind, 'binary')
  assert.deepEqual(created.classes[1], { label: 'FRACTURE', positive: true })
  const set = ['condition', 'set', 'hip', '--policy', 'follow', '--gate-margin', '0.02']
  const changed = await roentgenJson<Condition>(set, { env })
  assert.deepEqual([changed.policy, changed.gate.margin], ['follow', 0.02])
  assert.match((await run('condition', 'list')).stdout, /hip +hip +binary +- +follow +0/)

  assertRefused(await run('condition', 'create', 'hip', '--classes', 'A,*B'), /hip/)
  assertRefused(await run('condition', 'create', 'x'), /Specify the classes/)
  assertRefused(await run('condition', 'create', 'inbox', '--classes', 'A,*B'), /inbox/)
  assertRefused(await run('condition', 'set', 'hip'), /Specify what to change/)
  assertRefused(await run('condition', 'set', 'none', '--name', 'x'), /no condition "none"/)
})

test('what is not there or not right is refused in one line', async (t) => {
  const folders = await homeFolders(t)
  const { env, root } = folders
  await storePackage(folders, { seed: 1 })
  await untilReady((await servedHome(folders)).url)
  const run = (...words: string[]) => roentgen(words, { env, cwd: root })
  const picture = join(root, 'chest.png')
  await writeFile(picture, await image(3))
  const inPneumonia = ['--condition', 'pneumonia']
  assertRefused(await run('predict', picture, ...inPneumonia), /No active version/)
  assertRefused(
    await run('predict', 'none.png', ...inPneumonia),
    /"none\.png" does not exist or is not readable/,
  )
  assertRefused(await run('activate', 'pneumonia/tiny@9'), /no version/i)
  assertRefused(await run('activate', 'pneumonia/tiny@1', '--force'), /--reason/)
  assertRefused(await run('rollback', 'pneumonia'), /earlier version/)
  assertRefused(await run('history', 'none'), /no condition/)
  assertRefused(await run('history', 'pneumonia', '--at', 'yesterday'), /time/)
  assertRefused(await run('versions', 'show', 'tiny'), /not a version/)
  assertRefused(await run('export', 'pneumonia/tiny@9'), /no version/i)
  await writeFile(join(root, 'x.roentgen.zip'), 'no zip')
  const imported = await run('import', 'x.roentgen.zip')
  assert.equal(imported.status, 1, 'a text is no package')
  assert.match(imported.stderr, /^roentgen: [^\n]+\n$/)
  assertRefused(await run('import', 'none.zip'), /"none\.zip" does not exist or is not readable/)
})
