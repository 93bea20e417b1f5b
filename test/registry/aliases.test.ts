// Names that point at versions: only at verified ones, moved with a row, and a reason to keep what they point at.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { VersionRef } from '../../src/package/ids.ts'
import { listChanges } from '../../src/registry/conditions/changes.ts'
import { patchCondition } from '../../src/registry/conditions/condition-settings.ts'
import { packageDir } from '../../src/registry/home/store.ts'
import { listAliases, moveAlias, resolveVersion } from '../../src/registry/versions/aliases.ts'
import { retireOldVersions } from '../../src/registry/versions/empty-bin.ts'
import { verifyAll } from '../../src/registry/versions/verify-all.ts'
import { deleteVersion } from '../../src/registry/versions/version-bin.ts'
import { getVersion } from '../../src/registry/versions/versions.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

function mover({ ctx }: TestHome) {
  return (alias: string, version: VersionRef | null, reason?: string) =>
    moveAlias(ctx.db, {
      condition: 'pneumonia',
      alias,
      version,
      reason,
      actor: ANNA,
      clock: ctx.clock,
    })
}

test('an alias is moved from version to version, each move a row with who and why', async (t) => {
  const home = await openApplication(t)
  const { db } = home.ctx
  const [a, b] = [await home.register({ seed: 1 }), await home.register({ seed: 2 })]
  const move = mover(home)
  assert.deepEqual(await move('Champion', a, 'the first'), [{ alias: 'champion', version: a.id }])
  await move('champion', a, 'again')
  await move('champion', b, 'better')
  assert.deepEqual(await resolveVersion(db, ' pneumonia@champion '), {
    condition: 'pneumonia',
    name: b.name,
    n: b.n,
  })
  assert.deepEqual((await getVersion(db, b)).aliases, ['champion'])
  assert.deepEqual((await getVersion(db, a)).aliases, [])
  await move('champion', null, 'no longer')
  assert.deepEqual(await listAliases(db, 'pneumonia'), [])
  const rows = (await listChanges(db, 'pneumonia')).filter((row) => row.field === 'alias:champion')
  assert.deepEqual(
    rows.map((row) => [row.value, row.by, row.via, row.reason]),
    [
      [null, 'anna', 'api', 'no longer'],
      [b.id, 'anna', 'api', 'better'],
      [a.id, 'anna', 'api', 'the first'],
    ],
  )
})

test('an alias points at verified versions of its condition only, and has a name that is one', async (t) => {
  const home = await openApplication(t)
  const version = await home.register({ seed: 1 })
  const blind = await home.register({ seed: 2, accuracy: null })
  const other = await home.register({ seed: 3, fields: { condition: 'covid' } })
  const move = mover(home)
  await assert.rejects(move('champion', blind), { code: 'unevaluated' })
  await assert.rejects(move('champion', other), { code: 'unknown-version' })
  await assert.rejects(move('champion', { ...version, n: 9 }), { code: 'unknown-version' })
  for (const name of ['3', '', 'a b', 'x'.repeat(33), 'a/b', 'é']) {
    await assert.rejects(move(name, version), { code: 'invalid' }, name)
  }
  await deleteVersion(home.ctx, { ref: version, actor: ANNA, clock: home.ctx.clock })
  await assert.rejects(move('champion', version), { code: 'conflict' })
  assert.deepEqual(await listAliases(home.ctx.db, 'pneumonia'), [])
})

test('what an alias points at is neither deleted nor retired, and is refused by name once damaged', async (t) => {
  const home = await openApplication(t)
  const { ctx } = home
  const [a] = [await home.register({ seed: 1 }), await home.register({ seed: 2 })]
  await mover(home)('champion', a)
  await assert.rejects(deleteVersion(ctx, { ref: a, actor: ANNA, clock: ctx.clock }), {
    code: 'conflict',
    message: /champion/,
  })
  assert.deepEqual(await retireOldVersions(ctx, { clock: ctx.clock, keepVersions: 1 }), [])
  await writeFile(join(packageDir(ctx.store, a), 'models/tiny.onnx'), 'graph 7')
  await verifyAll(ctx)
  await assert.rejects(resolveVersion(ctx.db, 'pneumonia@champion'), {
    code: 'conflict',
    message: /quarantined now/,
  })
})

test('what is neither a version nor an alias is refused with both spellings', async (t) => {
  const { ctx } = await openApplication(t)
  for (const text of [
    '',
    'pneumonia',
    'pneumonia/tiny',
    'a@b@c',
    '../x@y',
    'pneumonia@'.repeat(40),
  ]) {
    await assert.rejects(resolveVersion(ctx.db, text), {
      code: 'unknown-version',
      message: /condition\/name@number or condition@alias/,
    })
  }
  await assert.rejects(resolveVersion(ctx.db, 'pneumonia@nobody'), { code: 'unknown-version' })
})

test('a change of settings is a row with its reason, and what stays as it was makes none', async (t) => {
  const home = await openApplication(t)
  const { db, clock } = home.ctx
  await home.register()
  const before = (await listChanges(db, 'pneumonia')).length
  const patch = {
    name: 'Pneumonia',
    policy: 'follow',
    gate: { metric: 'auc', margin: 0.05 },
  } as const
  const options = { id: 'pneumonia', actor: ANNA, clock }
  await patchCondition(db, { ...options, patch, reason: 'trust the gate' })
  await patchCondition(db, { ...options, patch, reason: 'nothing new' })
  const rows = (await listChanges(db, 'pneumonia')).slice(0, -before || undefined)
  assert.deepEqual(
    rows.map((row) => [row.field, row.by, row.reason]),
    [
      ['gate', 'anna', 'trust the gate'],
      ['policy', 'anna', 'trust the gate'],
    ],
  )
})
