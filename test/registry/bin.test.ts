// The bin: what was deleted can be put back until its time is over, and the clock takes nothing that matters.
import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { exists } from '../../src/package/durable-files.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { binnedDir, packageDir } from '../../src/registry/home/store.ts'
import { emptyBin, retireOldVersions } from '../../src/registry/versions/empty-bin.ts'
import { registerPackage } from '../../src/registry/versions/register-package.ts'
import { deleteVersion, undeleteVersion } from '../../src/registry/versions/version-bin.ts'
import { getVersion, patchVersion, type Version } from '../../src/registry/versions/versions.ts'
import { writePackage } from '../support/package.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

const DAY_MS = 86_400_000
const inDays = (days: number) => () => new Date(Date.now() + days * DAY_MS)

const deleted = ({ ctx }: TestHome, ref: Version) =>
  deleteVersion(ctx, { ref, actor: ANNA, clock: ctx.clock })
const undeleted = ({ ctx }: TestHome, ref: Version) =>
  undeleteVersion(ctx, { ref, actor: ANNA, clock: ctx.clock })
const activated = ({ ctx }: TestHome, version: Version) =>
  activateVersion(ctx, { condition: 'pneumonia', version, reason: '', ...ANNA })

test('a deleted version comes back under its number, with its files and its status', async (t) => {
  const home = await openApplication(t)
  const version = await home.register()
  assert.equal((await deleted(home, version)).isInBin, true)
  assert.ok(!(await exists(packageDir(home.ctx.store, version))))
  const back = await undeleted(home, version)
  assert.deepEqual([back.id, back.sha256, back.status], [version.id, version.sha256, 'verified'])
  assert.deepEqual([back.deletedAt, back.isInBin], [null, false])
  await activated(home, back)
  await assert.rejects(undeleted(home, back), { code: 'conflict' })
})

test('what was damaged in the bin comes back quarantined', async (t) => {
  const home = await openApplication(t)
  const version = await home.register()
  await deleted(home, version)
  await appendFile(join(binnedDir(home.ctx.store, version), 'models/tiny.onnx'), '!')
  const back = await undeleted(home, version)
  assert.equal(back.status, 'quarantined')
  assert.match(back.statusReason ?? '', /models\/tiny\.onnx/)
})

test('a package that was registered again is not put back beside itself', async (t) => {
  const home = await openApplication(t)
  const version = await home.register({ seed: 4 })
  await deleted(home, version)
  const fromDir = join(home.home, 'again')
  await writePackage(fromDir, { seed: 4 })
  const { clock } = home.ctx
  const { created } = await registerPackage(home.ctx, { fromDir, move: true, actor: ANNA, clock })
  assert.equal(created, true)
  await assert.rejects(undeleted(home, version), { code: 'conflict', message: /tiny-quick@2/ })
})

test('the bin is emptied by the clock, and what has gone is told as gone', async (t) => {
  const home = await openApplication(t)
  const version = await home.register()
  await deleted(home, version)
  const keepBinMs = 30 * DAY_MS
  assert.deepEqual(await emptyBin(home.ctx, { clock: inDays(29), keepBinMs }), [])
  assert.deepEqual(await emptyBin(home.ctx, { clock: inDays(31), keepBinMs }), [version.id])
  assert.ok(!(await exists(binnedDir(home.ctx.store, version))))
  assert.equal((await getVersion(home.ctx.db, version)).isInBin, false)
  await assert.rejects(undeleted(home, version), { code: 'gone' })
  assert.deepEqual(await emptyBin(home.ctx, { clock: inDays(32), keepBinMs }), [])
})

test('the clock takes neither what answers, nor what answered before, nor what is tagged', async (t) => {
  const home = await openApplication(t)
  const versions: Version[] = []
  for (let seed = 1; seed <= 6; seed++) versions.push(await home.register({ seed }))
  const [previous, active, tagged, old, ...newest] = versions as [
    Version,
    Version,
    Version,
    Version,
  ]
  await activated(home, previous)
  await activated(home, active)
  const { db, clock } = home.ctx
  await patchVersion(db, { ref: tagged, patch: { tags: ['champion'] }, actor: ANNA, clock })
  assert.deepEqual(await retireOldVersions(home.ctx, { clock, keepVersions: 0 }), [])
  assert.deepEqual(await retireOldVersions(home.ctx, { clock, keepVersions: 2 }), [old.id])
  for (const one of [previous, active, tagged, ...newest] as Version[]) {
    assert.equal((await getVersion(db, one)).status, 'verified')
  }
  await deleted(home, previous)
  await deleted(home, tagged)
  const gone = await emptyBin(home.ctx, { clock: inDays(400), keepBinMs: 0 })
  assert.deepEqual(gone, [old.id])
  await undeleted(home, previous)
})
