// What is forgotten is gone: from the database file, its log, staging and every table that mentions it; all or nothing on a full
// disk. And what is written is for its owner only.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import SQLite from 'better-sqlite3'
import { recover } from '../../../src/registry/activation/recover.ts'
import { countLost } from '../../../src/registry/home/lost.ts'
import { openRegistry } from '../../../src/registry/home/open-registry.ts'
import { addFeedback } from '../../../src/registry/predictions/feedback.ts'
import { deletePrediction, storePrediction } from '../../../src/registry/predictions/predictions.ts'
import { image } from '../../inference/tiny-package.ts'
import { fillDisk, smallDisk } from '../../support/disk/small-disk.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'
import { aPrediction } from '../../support/prediction.ts'
import { openApplication } from '../../support/registry.ts'

const COMMENT = 'Frau Zebrastreifen, left hip'

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
}

/** Names of the files below that hold any of these words. */
async function holding(dir: string, words: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of await filesBelow(dir)) {
    const bytes = await readFile(path)
    if (words.some((word) => bytes.includes(word))) found.push(path)
  }
  return found
}

async function readAndCommented(t: TestContext) {
  const folders = await homeFolders(t)
  const { id: version } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const opened = await openedHome(folders)
  const { call } = opened
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version, reason: 'x' }))
  const form = imageForm({ image: await image(3), condition: 'pneumonia' })
  const read = await jsonOf<{ id: string; image: { sha256: string } }>(
    await call('/api/v1/predict', { method: 'POST', body: form }),
  )
  const said = jsonBody({ verdict: 'agree', comment: COMMENT })
  assert.equal((await call(`/api/v1/predictions/${read.id}/feedback`, said)).status, 201)
  return { folders, read, ...opened }
}

test('a forgotten prediction is in no file of the home: no comment, no id, no digest of its image', async (t) => {
  const { folders, read, home, call } = await readAndCommented(t)
  const words = [COMMENT, read.id, read.image.sha256]
  assert.ok((await holding(folders.dataDir, words)).length > 0)
  assert.equal((await call(`/api/v1/predictions/${read.id}`, { method: 'DELETE' })).status, 204)
  assert.deepEqual(await holding(folders.root, words), [])
  const { size } = await stat(join(folders.dataDir, 'roentgen.sqlite-wal'))
  assert.equal(size, 0, 'the log is empty')
  await (await call('/api/v1/backup')).arrayBuffer()
  while ((await readdir(home.store.stagingDir)).length > 0) await new Promise(setImmediate)
  await home.close()
  assert.deepEqual(await holding(folders.root, words), [])
})

test('evidence, votes and comparisons stay without the id of a forgotten prediction', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register({ seed: 1 })
  const other = await register({ seed: 2 })
  const prediction = aPrediction({ version, positive: 0.8 })
  await storePrediction(ctx.db, {
    prediction,
    heatmap: null,
    imageFile: null,
    expiresAt: '2100-01-01T00:00:00.000Z',
  })
  const at = new Date().toISOString()
  const reading = {
    id: 'blind-1',
    condition: version.condition,
    a_version: version.id,
    b_version: other.id,
    a_prediction: prediction.id,
    b_prediction: 'another',
    a_label: 'x',
    b_label: 'y',
    swapped: 0 as const,
    started_at: at,
    label: 'x',
    read_at: at,
    preference: 'a' as const,
    voted_at: at,
    by: 'anna',
  }
  await ctx.db.insertInto('blind_readings').values(reading).execute()
  await deletePrediction(ctx, prediction.id)
  const row = await ctx.db.selectFrom('blind_readings').selectAll().executeTakeFirstOrThrow()
  assert.deepEqual(
    [row.a_prediction, row.b_prediction, row.preference],
    ['forgotten', 'another', 'a'],
  )
  const change = ctx.db.updateTable('blind_readings').set({ preference: 'b' }).execute()
  await assert.rejects(change, /never changed/)
})

test('killed between rows and image, the next start removes the image and does not set it aside', async (t) => {
  const home = await openApplication(t)
  const { db, store } = home.ctx
  await db.insertInto('forgotten_images').values({ name: 'gone.png' }).execute()
  await writeFile(join(store.uploadsDir, 'gone.png'), 'pixels')
  await writeFile(join(store.uploadsDir, 'unknown.png'), 'pixels')
  await recover(home.ctx)
  assert.deepEqual(await readdir(store.uploadsDir), [])
  assert.equal(await countLost(store), 1)
  assert.deepEqual(await db.selectFrom('forgotten_images').selectAll().execute(), [])
})

test('a database of before is written anew once, and holds nothing that was deleted before', async () => {
  const { makeTempDir } = await import('../../support/package.ts')
  const dataDir = await makeTempDir()
  const first = await openRegistry({ dataDir })
  await first.close()
  const path = join(dataDir, 'roentgen.sqlite')
  const sqlite = new SQLite(path)
  sqlite.pragma('user_version = 0')
  sqlite.exec(
    `create table old (text); insert into old values ('${COMMENT}'); delete from old; drop table old`,
  )
  sqlite.close()
  assert.deepEqual(await holding(dataDir, [COMMENT]), [path])
  const again = await openRegistry({ dataDir })
  await again.close()
  assert.deepEqual(await holding(dataDir, [COMMENT]), [])
})

test('on a full disk feedback is 507, and DELETE of a prediction or version changes nothing or all', async (t) => {
  const disk = smallDisk(t, 24)
  if (!disk) return t.skip('no small file system can be mounted here')
  const folders = await homeFolders(t)
  const [dataDir, modelsDir] = [join(disk, 'data'), join(disk, 'models')]
  await mkdir(modelsDir)
  const env = { ...folders.env, ROENTGEN_DATA: dataDir, ROENTGEN_MODELS: modelsDir }
  const small = { ...folders, env, dataDir, modelsDir }
  const { id: version } = await storePackage({ ...small, root: disk }, { seed: 1, accuracy: 0.9 })
  await storePackage({ ...small, root: disk }, { seed: 2, accuracy: 0.9 })
  const { home, call } = await openedHome(small)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version, reason: 'x' }))
  const form = imageForm({ image: await image(3), condition: 'pneumonia' })
  const { id } = await jsonOf<{ id: string }>(
    await call('/api/v1/predict', { method: 'POST', body: form }),
  )
  const images = await readdir(home.store.uploadsDir)
  const makeRoom = fillDisk(disk)
  const said = await call(
    `/api/v1/predictions/${id}/feedback`,
    jsonBody({ verdict: 'agree', comment: 'x'.repeat(4000) }),
  )
  assert.equal(said.status, 507)
  assert.equal((await jsonOf<{ code: string }>(said)).code, 'disk-full')
  for (const path of [`/api/v1/predictions/${id}`, '/api/v1/versions/pneumonia/tiny/2']) {
    const deleted = await call(path, { method: 'DELETE' })
    assert.ok([200, 204, 507].includes(deleted.status), `${path}: ${deleted.status}`)
    const now = await call(path)
    if (deleted.status === 507) {
      assert.equal(now.status, 200, path)
      if (path.includes('predictions'))
        assert.deepEqual(await readdir(home.store.uploadsDir), images)
      else assert.notEqual((await jsonOf<{ status: string }>(now)).status, 'deleted')
    }
  }
  makeRoom()
  const again = await call(
    `/api/v1/predictions/${id}/feedback`,
    jsonBody({ verdict: 'agree', comment: 'y' }),
  )
  assert.equal(again.status, 201)
  assert.equal(
    (await addFeedback(home.db, { prediction: id, verdict: 'agree', by: 'a', clock: home.clock }))
      .verdict,
    'agree',
  )
  assert.equal((await call(`/api/v1/predictions/${id}`, { method: 'DELETE' })).status, 204)
  assert.deepEqual(await readdir(home.store.uploadsDir), [])
})

test('everything that a run of the product leaves in data and staging is for its owner only', async (t) => {
  const { folders, home } = await readAndCommented(t)
  const open: string[] = []
  for (const dir of [folders.dataDir, home.store.stagingDir, home.store.logsDir]) {
    const paths = [dir, ...(await readdir(dir, { recursive: true })).map((name) => join(dir, name))]
    for (const path of paths) if (((await stat(path)).mode & 0o077) !== 0) open.push(path)
  }
  assert.deepEqual(open, [])
})
