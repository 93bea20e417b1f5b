// What a start makes of a home: repairs, adoption without SQLite, edits made while nothing ran.
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { insertActivation, listHistory } from '../../src/registry/activation/activations.ts'
import { applyPointerEdits } from '../../src/registry/activation/pointer-edits.ts'
import { recover } from '../../src/registry/activation/recover.ts'
import { getCondition } from '../../src/registry/conditions/conditions.ts'
import { packageDir, pointerPath } from '../../src/registry/home/store.ts'
import { deleteVersion } from '../../src/registry/versions/version-bin.ts'
import { getVersion, type Version } from '../../src/registry/versions/versions.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

const ID = 'pneumonia'

async function activate({ ctx }: TestHome, version: Version): Promise<void> {
  await activateVersion(ctx, { condition: ID, version, reason: '', ...ANNA })
}

async function active({ ctx }: TestHome): Promise<string | undefined> {
  return (await getCondition(ctx.db, ID)).active?.version
}

async function pointed({ ctx }: TestHome): Promise<string> {
  return JSON.parse(await readFile(pointerPath(ctx.store, ID), 'utf8')).version
}

async function lines({ ctx }: TestHome) {
  return (await listHistory(ctx.db, { condition: ID })).items
}

async function withTwo(t: Parameters<typeof openApplication>[0]) {
  const home = await openApplication(t)
  const [a, b] = [await home.register({ seed: 1 }), await home.register({ seed: 2 })]
  await activate(home, a)
  const older = await readFile(pointerPath(home.ctx.store, ID))
  await activate(home, b)
  return { home, a, b, older }
}

test('an active.json with a known older id is repaired from SQLite without a line', async (t) => {
  const { home, b, older } = await withTwo(t)
  await writeFile(pointerPath(home.ctx.store, ID), older)
  const again = await home.reopen()
  await recover(again.ctx)
  await applyPointerEdits(again.ctx)
  assert.equal(await pointed(again), b.id)
  assert.equal((await lines(again)).length, 2)
})

test('an active.json that is missing is written again', async (t) => {
  const { home, b } = await withTwo(t)
  await rm(pointerPath(home.ctx.store, ID))
  await recover(home.ctx)
  assert.equal(await pointed(home), b.id)
})

test('an active.json without an id, or with the id of another version, was edited while nothing ran', async (t) => {
  const { home, a, b, older } = await withTwo(t)
  const edits = [
    { text: JSON.stringify({ version: a.id }), wanted: a.id },
    { text: older.toString().replace(a.id, b.id), wanted: b.id },
    { text: JSON.stringify({ version: a.id, activation: 'act_of-another-home' }), wanted: a.id },
  ]
  for (const { text, wanted } of edits) {
    await writeFile(pointerPath(home.ctx.store, ID), text)
    await recover(home.ctx)
    await applyPointerEdits(home.ctx)
    assert.equal(await active(home), wanted)
    const [line] = await lines(home)
    assert.deepEqual([line?.via, line?.outcome, line?.version], ['file', 'activated', wanted])
  }
})

test('an activation that was under way when the process ended is a refused line', async (t) => {
  const { home, a, b } = await withTwo(t)
  await insertActivation(home.ctx.db, {
    condition: ID,
    version: a.id,
    sha256: a.sha256,
    previous: b.id,
    at: new Date().toISOString(),
    actor: ANNA,
    kind: 'activate',
    reason: '',
    outcome: 'pending',
    steps: [],
  })
  assert.equal((await lines(home)).length, 2)
  assert.equal((await recover(home.ctx)).interrupted, 1)
  assert.equal((await lines(home))[0]?.outcome, 'refused')
  assert.equal(await active(home), b.id)
})

test('without SQLite versions and active ones are rebuilt, with a line that says adopted', async (t) => {
  const { home, a, b } = await withTwo(t)
  await home.close()
  await rm(join(home.home, 'data'), { recursive: true })
  const again = await home.reopen()
  const { versions } = await recover(again.ctx)
  assert.deepEqual(versions, [a.id, b.id])
  assert.equal((await getVersion(again.ctx.db, a)).registeredVia, 'adopted')
  assert.equal((await getVersion(again.ctx.db, a)).sha256, a.sha256)
  assert.equal(await active(again), b.id)
  const [line, ...others] = await lines(again)
  assert.match(line?.reason ?? '', /adopted/)
  assert.equal(line?.outcome, 'activated')
  assert.deepEqual(others, [])
  assert.equal((await again.register({ seed: 3 })).n, 3)
})

test('the number of a deleted version stays taken, also without SQLite', async (t) => {
  const { home, a } = await withTwo(t)
  const deleted = await home.register({ seed: 3 })
  await deleteVersion(home.ctx, { ref: deleted, actor: ANNA, clock: home.ctx.clock })
  await home.close()
  await rm(join(home.home, 'data'), { recursive: true })
  const again = await home.reopen()
  assert.deepEqual((await recover(again.ctx)).versions.length, a.n + 1)
  assert.equal((await again.register({ seed: 3 })).n, 4)
})

test('without SQLite a damaged package is listed as quarantined and does not become active', async (t) => {
  const { home, a, b } = await withTwo(t)
  await writeFile(join(packageDir(home.ctx.store, b), 'README.md'), 'changed')
  await home.close()
  await rm(join(home.home, 'data'), { recursive: true })
  const again = await home.reopen()
  await recover(again.ctx)
  await applyPointerEdits(again.ctx)
  assert.equal((await getVersion(again.ctx.db, b)).status, 'quarantined')
  assert.equal((await getVersion(again.ctx.db, a)).status, 'verified')
  assert.equal(await active(again), undefined)
  assert.deepEqual(
    (await lines(again)).map((line) => line.outcome),
    ['refused'],
  )
})

test('a damaged active package is found at the start and marked', async (t) => {
  const { home, b } = await withTwo(t)
  await writeFile(join(packageDir(home.ctx.store, b), 'models/tiny.onnx'), 'graph 9')
  assert.deepEqual((await recover(home.ctx)).damaged, [b.id])
  assert.equal((await getCondition(home.ctx.db, ID)).active?.state, 'damaged')
})

test('half-written folders are not listed, strange ones are told apart, lost ones are quarantined', async (t) => {
  const { home, a, b } = await withTwo(t)
  const { store, db } = home.ctx
  const half = packageDir(store, { ...a, n: 7 })
  await mkdir(join(half, 'models'), { recursive: true })
  await writeFile(join(half, 'models/tiny.onnx'), 'gra')
  await cp(packageDir(store, a), packageDir(store, { ...a, n: 8 }), { recursive: true })
  await cp(packageDir(store, a), packageDir(store, { ...a, condition: 'covid' }), {
    recursive: true,
  })
  await rm(packageDir(store, a), { recursive: true })
  await mkdir(join(store.stagingDir, 'left-over'))
  const { versions, problems } = await recover(home.ctx)
  assert.deepEqual(versions, [])
  assert.deepEqual(problems.map((one) => one.what).sort(), [
    'covid/tiny-quick@1',
    'pneumonia/tiny-quick@8',
  ])
  assert.equal((await getVersion(db, a)).status, 'quarantined')
  assert.equal((await getVersion(db, b)).status, 'verified')
  assert.deepEqual(await readdir(store.stagingDir), [])
})
