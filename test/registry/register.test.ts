// Registering, exporting, importing, seeding and deleting packages: digests, numbers, files.
import assert from 'node:assert/strict'
import { createWriteStream } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import test from 'node:test'
import { exists } from '../../src/package/durable-files.ts'
import { verifyPackage } from '../../src/package/verify-package.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { recover } from '../../src/registry/activation/recover.ts'
import { getCondition } from '../../src/registry/conditions/conditions.ts'
import { packageDir } from '../../src/registry/home/store.ts'
import { exportPackage, importPackageZip } from '../../src/registry/versions/exchange-package.ts'
import { registerPackage } from '../../src/registry/versions/register-package.ts'
import {
  findDefaultVersion,
  seedDemonstration,
} from '../../src/registry/versions/seed-demonstration.ts'
import { verifyAll } from '../../src/registry/versions/verify-all.ts'
import { deleteVersion } from '../../src/registry/versions/version-bin.ts'
import { listVersions } from '../../src/registry/versions/version-list.ts'
import { getVersion, type Version } from '../../src/registry/versions/versions.ts'
import { makeTempDir, writePackage } from '../support/package.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

function drop({ ctx }: TestHome, ref: Version): Promise<Version> {
  return deleteVersion(ctx, { ref, actor: ANNA, clock: ctx.clock })
}

test('a registered package has a row with all that its manifest says, and makes its condition', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register({ fields: { tags: ['b', 'a'] } })
  assert.equal(version.id, 'pneumonia/tiny-quick@1')
  assert.equal(version.status, 'verified')
  assert.equal(version.createdAt, '2026-03-03T13:05:00.000Z')
  assert.equal(version.metrics?.accuracy, 0.9)
  assert.deepEqual(version.tags, ['a', 'b'])
  assert.deepEqual(version.lineage, { run: 'run-1' })
  assert.equal(version.files.length, 5)
  await verifyPackage(packageDir(ctx.store, version), { expectedSha256: version.sha256 })
  const condition = await getCondition(ctx.db, 'pneumonia')
  assert.deepEqual(
    [condition.name, condition.kind, condition.policy],
    ['Pneumonia', 'binary', 'pinned'],
  )
  assert.equal(condition.active, null)
})

test('the same digest is one version, whoever brings it', async (t) => {
  const home = await openApplication(t)
  const first = await home.register({ seed: 1 })
  const second = await home.register({ seed: 1 })
  assert.equal(second.id, first.id)
  assert.equal((await home.register({ seed: 2 })).n, 2)
  assert.deepEqual(await readdir(home.ctx.store.stagingDir), [])
})

test('a damaged or contradictory package is refused, given back and leaves no row', async (t) => {
  const { ctx, home, register } = await openApplication(t)
  await register()
  const fromDir = join(home, 'mine')
  const options = { fromDir, move: true, actor: ANNA, clock: ctx.clock }
  await writePackage(fromDir, { seed: 2 })
  await writeFile(join(fromDir, 'README.md'), 'changed')
  await assert.rejects(registerPackage(ctx, options), { code: 'hash-mismatch' })
  assert.ok(await exists(join(fromDir, 'manifest.json')))
  const swapped = [
    { label: 'PNEUMONIA', positive: true },
    { label: 'NORMAL', positive: false },
  ]
  await writePackage(fromDir, { seed: 3, fields: { classes: swapped } })
  await assert.rejects(registerPackage(ctx, options), { code: 'conflict', message: /classes/ })
  await writePackage(fromDir, { seed: 4, files: { 'configs/model.json': '{}' } })
  await assert.rejects(registerPackage(ctx, options), { code: 'invalid-package' })
  assert.equal((await listVersions(ctx.db, {})).total, 1)
})

test('a deleted version goes to the bin, keeps its row, and its number is never used again', async (t) => {
  const home = await openApplication(t)
  const { ctx } = home
  const first = await home.register({ seed: 1 })
  assert.equal((await drop(home, first)).status, 'deleted')
  assert.equal(await exists(packageDir(ctx.store, first)), false)
  assert.ok(await exists(join(ctx.store.binDir, 'pneumonia/tiny-quick/v1/manifest.json')))
  assert.equal((await home.register({ seed: 1 })).n, 2)
  assert.equal((await drop(home, first)).status, 'deleted')
  assert.equal((await listVersions(ctx.db, {})).total, 1)
  assert.equal((await listVersions(ctx.db, { status: 'deleted' })).total, 1)
})

test('the version that answers cannot be deleted', async (t) => {
  const home = await openApplication(t)
  const version = await home.register()
  const { ctx } = home
  await activateVersion(ctx, { condition: 'pneumonia', version, reason: '', ...ANNA })
  await assert.rejects(drop(home, version), { code: 'conflict', status: 409 })
  assert.ok(await exists(packageDir(ctx.store, version)))
})

test('an export is imported elsewhere as the same digest, with its former id as lineage', async (t) => {
  const [here, there] = [await openApplication(t), await openApplication(t)]
  await here.register({ seed: 1 })
  const version = await here.register({ seed: 2 })
  const { stream, fileName } = await exportPackage(here.ctx, version)
  assert.equal(fileName, 'pneumonia-tiny-quick-v2.roentgen.zip')
  const zipPath = join(there.home, fileName)
  await pipeline(stream, createWriteStream(zipPath))
  const options = { zipPath, actor: ANNA, clock: there.ctx.clock }
  const first = await importPackageZip(there.ctx, options)
  assert.equal(first.created, true)
  assert.equal(first.version.sha256, version.sha256)
  assert.equal(first.version.id, 'pneumonia/tiny-quick@1')
  assert.equal(first.version.lineage.formerId, version.id)
  const second = await importPackageZip(there.ctx, options)
  assert.equal(second.created, false)
  assert.deepEqual(await readdir(there.ctx.store.stagingDir), [])
})

test('importing an intact copy of a damaged version repairs it; a damaged one is never exported', async (t) => {
  const { ctx, home, register } = await openApplication(t)
  const version = await register()
  const { stream } = await exportPackage(ctx, version)
  const zipPath = join(home, 'a.zip')
  await pipeline(stream, createWriteStream(zipPath))
  await writeFile(join(packageDir(ctx.store, version), 'README.md'), 'changed')
  await assert.rejects(exportPackage(ctx, version), { code: 'hash-mismatch' })
  assert.deepEqual(
    (await verifyAll(ctx)).map((result) => result.ok),
    [false],
  )
  await importPackageZip(ctx, { zipPath, actor: ANNA, clock: ctx.clock })
  assert.equal((await getVersion(ctx.db, version)).status, 'verified')
  assert.deepEqual(
    (await verifyAll(ctx)).map((result) => result.ok),
    [true],
  )
})

test('an empty store is given the intact demonstration packages, once', async (t) => {
  const { ctx } = await openApplication(t)
  const from = await makeTempDir()
  t.after(() => rm(from, { recursive: true, force: true }))
  const at = (place: string): string => join(from, 'pneumonia', place)
  const demonstration = { demonstration: true }
  await writePackage(at('tiny-quick/v1'), { seed: 1, fields: demonstration })
  await writePackage(at('tiny-quick/v2'), {
    seed: 2,
    fields: { ...demonstration, tags: ['default'] },
  })
  await writePackage(at('mine/v1'), { seed: 3, fields: { name: 'mine' } })
  await writePackage(at('bad/v1'), { seed: 4, fields: { ...demonstration, name: 'bad' } })
  await writeFile(join(at('bad/v1'), 'README.md'), 'changed')
  const copied = await seedDemonstration(ctx.store, from)
  assert.deepEqual(
    copied.map((ref) => `${ref.name}@${ref.n}`),
    ['tiny-quick@1', 'tiny-quick@2'],
  )
  assert.deepEqual((await recover(ctx)).versions, [
    'pneumonia/tiny-quick@1',
    'pneumonia/tiny-quick@2',
  ])
  const usual = await findDefaultVersion(ctx.db, 'pneumonia')
  assert.equal(usual?.id, 'pneumonia/tiny-quick@2')
  assert.deepEqual(await seedDemonstration(ctx.store, from), [])
  assert.deepEqual(await seedDemonstration(ctx.store, ctx.store.modelsDir), [])
})
