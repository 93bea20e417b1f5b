// active.json that cannot be written: what was acknowledged stays, the stale file is never a request, people are warned, and
// the write is made up for.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { activateVersion } from '../../../src/registry/activation/activate.ts'
import { listHistory } from '../../../src/registry/activation/activations.ts'
import { applyPointerEdits } from '../../../src/registry/activation/pointer-edits.ts'
import { recover } from '../../../src/registry/activation/recover.ts'
import { getCondition } from '../../../src/registry/conditions/conditions.ts'
import { pointerPath } from '../../../src/registry/home/store.ts'
import { listWarnings } from '../../../src/registry/home/warnings.ts'
import { Watcher } from '../../../src/registry/inbox/watcher.ts'
import { cannotLock, lockFile } from '../../support/disk/unwritable.ts'
import { ANNA, openApplication, type TestHome } from '../../support/registry.ts'

const ID = 'pneumonia'
const skip = cannotLock

async function twoVersions(t: TestContext) {
  const home = await openApplication(t)
  const [a, b] = [await home.register({ seed: 1 }), await home.register({ seed: 2 })]
  await activateVersion(home.ctx, { condition: ID, version: a, reason: '', ...ANNA })
  const path = pointerPath(home.ctx.store, ID)
  return { home, a, b, path }
}

const active = async ({ ctx }: TestHome) => (await getCondition(ctx.db, ID)).active
const lines = async ({ ctx }: TestHome) => (await listHistory(ctx.db, { condition: ID })).items
const pointed = async (path: string): Promise<string> =>
  (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version

test('an activation stands although active.json cannot be written, and the file is made up for later', {
  skip,
}, async (t) => {
  const { home, a, b, path } = await twoVersions(t)
  const unlock = lockFile(t, path)
  await activateVersion(home.ctx, { condition: ID, version: b, reason: '', ...ANNA })
  assert.equal(await pointed(path), a.id, 'the file is stale')
  const watcher = new Watcher(home.ctx, { rescanMs: 20 })
  t.after(() => watcher.stop())
  await watcher.start()
  for (let i = 0; i < 3; i++) await applyPointerEdits(home.ctx)
  assert.deepEqual(
    [(await active(home))?.version, (await active(home))?.pointer, (await lines(home)).length],
    [b.id, 'stale', 2],
  )
  assert.match(listWarnings(home.ctx.db)[0]?.sentence ?? '', /active\.json of pneumonia/)
  unlock()
  while ((await pointed(path)) !== b.id) await after(10)
  while ((await active(home))?.pointer !== 'ok') await after(10)
  assert.deepEqual(listWarnings(home.ctx.db), [])
})

test('after a restart a stale file is still no request, by its id or by its age', {
  skip,
}, async (t) => {
  for (const text of [undefined, (id: string) => JSON.stringify({ version: id })]) {
    const { home, a, b, path } = await twoVersions(t)
    if (text) await writeFile(path, text(a.id))
    const unlock = lockFile(t, path)
    const late = { ...home.ctx, clock: () => new Date(Date.now() + 60_000) }
    await activateVersion(late, { condition: ID, version: b, reason: '', ...ANNA })
    const again = await home.reopen()
    await recover(again.ctx)
    await applyPointerEdits(again.ctx)
    assert.equal((await active(again))?.version, b.id)
    assert.equal((await lines(again)).length, 2)
    unlock()
    await applyPointerEdits(again.ctx)
    assert.equal(await pointed(path), b.id)
  }
})

test('a request in a file that cannot be rewritten is decided once, not every few seconds', {
  skip,
}, async (t) => {
  const { home, a, path } = await twoVersions(t)
  for (const text of ['{"version":"pneumonia/none@9"}', '{"version":']) {
    await writeFile(path, text)
    const unlock = lockFile(t, path)
    const before = (await lines(home)).length
    for (let i = 0; i < 3; i++) await applyPointerEdits(home.ctx)
    assert.equal((await lines(home)).length, before + 1)
    unlock()
    await applyPointerEdits(home.ctx)
    assert.equal(await pointed(path), a.id)
  }
})

test('an old active.json of ours that is put back is rewritten, and a person’s file is a request', async (t) => {
  const { home, a, b, path } = await twoVersions(t)
  const old = await readFile(path, 'utf8')
  await activateVersion(home.ctx, { condition: ID, version: b, reason: '', ...ANNA })
  await writeFile(path, old)
  await applyPointerEdits(home.ctx)
  assert.deepEqual([(await active(home))?.version, await pointed(path)], [b.id, b.id])
  await writeFile(path, JSON.stringify({ version: a.id }))
  await applyPointerEdits(home.ctx)
  assert.equal((await active(home))?.version, a.id)
})
