// A backup proves itself: every row and every byte comes back, and what is not whole is refused as a whole.
import assert from 'node:assert/strict'
import { createWriteStream } from 'node:fs'
import {
  copyFile,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import test from 'node:test'
import SQLite from 'better-sqlite3'
import { sha256OfFile } from '../../src/package/hash-file.ts'
import { listFiles } from '../../src/package/package-paths.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { recover } from '../../src/registry/activation/recover.ts'
import { createBackup } from '../../src/registry/home/backup.ts'
import { openRegistry } from '../../src/registry/home/open-registry.ts'
import { restoreBackup } from '../../src/registry/home/restore.ts'
import { openStore } from '../../src/registry/home/store.ts'
import { addFeedback } from '../../src/registry/predictions/feedback.ts'
import { storePrediction } from '../../src/registry/predictions/predictions.ts'
import { verifyAll } from '../../src/registry/versions/verify-all.ts'
import { deleteVersion } from '../../src/registry/versions/version-bin.ts'
import { patchVersion } from '../../src/registry/versions/versions.ts'
import { makeTempDir } from '../support/package.ts'
import { aPrediction } from '../support/prediction.ts'
import { ANNA, openApplication, SILENT, type TestHome } from '../support/registry.ts'

/** Versions, an activation and a rollback's worth of history, a deletion, a prediction with image and feedback. */
async function filled(home: TestHome): Promise<void> {
  const { ctx, register } = home
  const { db, store, clock } = ctx
  const [a, b, c] = [
    await register({ seed: 1 }),
    await register({ seed: 2 }),
    await register({ seed: 3 }),
  ]
  for (const version of [a, b]) {
    await activateVersion(ctx, { condition: 'pneumonia', version, reason: 'test', ...ANNA })
  }
  await patchVersion(db, { ref: a, patch: { notes: 'good', tags: ['x'] }, actor: ANNA, clock })
  await deleteVersion(ctx, { ref: c, actor: ANNA, clock })
  const prediction = aPrediction({ version: b, positive: 0.8 })
  await writeFile(join(store.uploadsDir, `${prediction.id}.png`), 'pixels')
  await storePrediction(db, {
    prediction,
    heatmap: { grid: new Float32Array([1, 2]), gridWidth: 2, gridHeight: 1, scale: 1 },
    imageFile: `${prediction.id}.png`,
    expiresAt: '2100-01-01T00:00:00.000Z',
  })
  await addFeedback(db, { prediction: prediction.id, verdict: 'agree', by: 'anna', clock })
}

async function saved(home: TestHome, during?: () => Promise<unknown>): Promise<string> {
  // The home's own connection is enough for its rows; the copy needs one of better-sqlite3.
  const registry = await openRegistry({ dataDir: home.ctx.store.dataDir })
  const { store, clock } = home.ctx
  const { stream, fileName } = await createBackup({ registry, store, clock, product: '0.0.0' })
  assert.match(fileName, /^roentgen-backup-\d{4}-\d\d-\d\dT\d{6}Z\.zip$/)
  await during?.()
  const file = join(home.home, fileName)
  await pipeline(stream, createWriteStream(file))
  await registry.close()
  return file
}

function rowsOf(dataDir: string): Record<string, unknown[]> {
  const sqlite = new SQLite(join(dataDir, 'roentgen.sqlite'), { readonly: true })
  const tables = sqlite
    .prepare(
      "select name from sqlite_master where type = 'table' and sql is not null order by name",
    )
    .pluck()
    .all() as string[]
  const rows = tables.map((table) => [table, sqlite.prepare(`select * from "${table}"`).all()])
  sqlite.close()
  return Object.fromEntries(rows)
}

async function hashesOf(dir: string): Promise<Record<string, string>> {
  const paths = (await listFiles(dir)).filter(
    (path) => !/(^|\/)(active\.json|\.lock|\.roentgen-store|\.staging\/)/.test(path),
  )
  const hashes = await Promise.all(
    paths.map(async (path) => [path, await sha256OfFile(join(dir, path))]),
  )
  return Object.fromEntries(hashes)
}

async function emptyHome(): Promise<{ modelsDir: string; dataDir: string }> {
  const root = await makeTempDir()
  return { modelsDir: join(root, 'models'), dataDir: join(root, 'data') }
}

test('all rows and all bytes come back, and the restored home answers as before', async (t) => {
  const home = await openApplication(t)
  await filled(home)
  const { store, gate, clock } = home.ctx
  const file = await saved(home)
  const dirs = await emptyHome()
  const restored = await restoreBackup(file, dirs)
  assert.equal(restored.versions, 3)
  assert.deepEqual(rowsOf(dirs.dataDir), rowsOf(store.dataDir))
  assert.deepEqual(await hashesOf(dirs.modelsDir), await hashesOf(store.modelsDir))
  assert.deepEqual(
    await hashesOf(join(dirs.dataDir, 'uploads')),
    await hashesOf(join(store.dataDir, 'uploads')),
  )
  assert.ok((await readdir(join(dirs.modelsDir, '.bin/pneumonia/tiny-quick'))).includes('v3'))

  const registry = await openRegistry(dirs)
  t.after(() => registry.close())
  const ctx = { db: registry.db, store: await openStore(dirs), gate, clock, log: SILENT }
  const recovery = await recover(ctx)
  assert.deepEqual([recovery.versions, recovery.problems, recovery.damaged], [[], [], []])
  assert.ok((await verifyAll(ctx)).every((one) => one.ok))
  const pointer = JSON.parse(await readFile(join(dirs.modelsDir, 'pneumonia/active.json'), 'utf8'))
  assert.equal(pointer.version, 'pneumonia/tiny-quick@2')
})

test('a version that goes to the bin while the archive is written is in it all the same', async (t) => {
  const home = await openApplication(t)
  await filled(home)
  const before = rowsOf(home.ctx.store.dataDir)
  const file = await saved(home, () =>
    deleteVersion(home.ctx, {
      ref: { condition: 'pneumonia', name: 'tiny-quick', n: 1 },
      actor: ANNA,
      clock: home.ctx.clock,
    }),
  )
  const dirs = await emptyHome()
  await restoreBackup(file, dirs)
  assert.deepEqual(rowsOf(dirs.dataDir), before, 'the rows are those of the beginning')
  await stat(join(dirs.modelsDir, 'pneumonia/tiny-quick/v1/manifest.json'))
})

test('a backup that is cut off, changed or none is refused, and nothing is restored', async (t) => {
  const home = await openApplication(t)
  await filled(home)
  const file = await saved(home)
  const dirs = await emptyHome()
  const refused = async (path: string, words: RegExp) => {
    await assert.rejects(restoreBackup(path, dirs), { code: 'invalid-package', message: words })
    assert.ok(!(await readdir(dirs.dataDir)).includes('roentgen.sqlite'))
    assert.ok(!(await readdir(dirs.modelsDir)).includes('pneumonia'))
  }
  const cut = join(home.home, 'cut.zip')
  await copyFile(file, cut)
  await truncate(cut, (await stat(file)).size - 200)
  await refused(cut, /cut off|damaged/)

  // One byte of a stored (not packed) file.
  const changed = join(home.home, 'changed.zip')
  const bytes = await readFile(file)
  const at = bytes.indexOf('pixels')
  assert.ok(at > 0)
  bytes[at] = 'P'.charCodeAt(0)
  await writeFile(changed, bytes)
  await refused(changed, /data\/uploads\/pr_.*is not what was saved/)

  const none = join(home.home, 'none.txt')
  await writeFile(none, 'no zip')
  await refused(none, /not a zip/)
})

test('a home that is not empty, or in use, is not restored into', async (t) => {
  const home = await openApplication(t)
  await filled(home)
  const file = await saved(home)
  const { modelsDir, dataDir } = home.ctx.store
  await assert.rejects(restoreBackup(file, { modelsDir, dataDir }), { code: 'conflict' })
  const dirs = await emptyHome()
  const strange = join(dirs.modelsDir, 'covid/net/v1')
  await mkdir(strange, { recursive: true })
  const handle = await open(join(strange, 'manifest.json'), 'w')
  await handle.close()
  await assert.rejects(restoreBackup(file, dirs), { code: 'conflict', message: /covid\/net@1/ })
  // The very packages of the backup may lie there, as the demonstration does in a fresh copy of the product.
  await assert.doesNotReject(restoreBackup(file, { modelsDir, dataDir: join(home.home, 'other') }))
})
