// What must never be deleted because something else is missing or wrong: the database, the clock, a mounted disk.
import assert from 'node:assert/strict'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { leaveByTheClock } from '../../../src/app/maintenance.ts'
import { confirmClock } from '../../../src/registry/home/clock-watch.ts'
import { countLost } from '../../../src/registry/home/lost.ts'
import { listWarnings } from '../../../src/registry/home/warnings.ts'
import { storePrediction } from '../../../src/registry/predictions/predictions.ts'
import { getVersion } from '../../../src/registry/versions/versions.ts'
import {
  homeFolders,
  jsonOf,
  type OpenedHome,
  openedHome,
  storePackage,
} from '../../support/home.ts'
import { aPrediction } from '../../support/prediction.ts'

const DAY_MS = 86_400_000
const REF = { condition: 'pneumonia', name: 'tiny', n: 1 }

/** Predictions with images, made `ageDays` ago, which expire thirty days after that. */
async function predict({ home }: OpenedHome, o: { count: number; ageDays: number }): Promise<void> {
  const at = new Date(Date.now() - o.ageDays * DAY_MS)
  for (let i = 0; i < o.count; i++) {
    const version = await getVersion(home.db, REF)
    const prediction = { ...aPrediction({ version, positive: 0.8 }), at: at.toISOString() }
    const imageFile = `${prediction.id}.png`
    await writeFile(join(home.store.uploadsDir, imageFile), 'pixels')
    const expiresAt = new Date(at.getTime() + 30 * DAY_MS).toISOString()
    await storePrediction(home.db, { prediction, heatmap: null, imageFile, expiresAt })
  }
}

async function homeWithPackage(t: TestContext) {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  return folders
}

test('images survive a database that was moved away, are counted, and return with it', async (t) => {
  const folders = await homeWithPackage(t)
  const opened = await openedHome(folders)
  await predict(opened, { count: 60, ageDays: 0 })
  await opened.home.close()
  const away = join(folders.root, 'away')
  await mkdir(away)
  const parts = (await readdir(folders.dataDir)).filter((name) =>
    name.startsWith('roentgen.sqlite'),
  )
  for (const name of parts) await rename(join(folders.dataDir, name), join(away, name))
  const anew = await openedHome(folders)
  assert.equal(await countLost(folders), 60)
  const { warnings } = await jsonOf<{ warnings: string[] }>(await anew.call('/readyz'))
  assert.match(warnings.join(' '), /60 images that no row/)
  assert.match(await (await anew.call('/status')).text(), /60 images that no row/)
  await anew.home.close()
  for (const name of await readdir(folders.dataDir)) {
    if (name.startsWith('roentgen.sqlite')) await rm(join(folders.dataDir, name))
  }
  for (const name of parts) await rename(join(away, name), join(folders.dataDir, name))
  const back = await openedHome(folders)
  assert.equal(await countLost(folders), 0)
  assert.equal((await readdir(back.home.store.uploadsDir)).length, 60)
  assert.deepEqual(listWarnings(back.home.db), [])
})

test('a clock that jumps by sixty days forgets nothing, whatever new rows say, until a person confirms it', async (t) => {
  const folders = await homeWithPackage(t)
  const opened = await openedHome(folders)
  await predict(opened, { count: 20, ageDays: 1 })
  const { home, call } = opened
  const count = async (): Promise<number> =>
    (await home.db.selectFrom('predictions').select('id').execute()).length
  await leaveByTheClock(home)
  const wrong = Object.create(home, { clock: { value: () => new Date(Date.now() + 60 * DAY_MS) } })
  await leaveByTheClock(wrong)
  assert.equal(await count(), 20)
  assert.match(
    listWarnings(home.db)
      .map(({ sentence }) => sentence)
      .join(' '),
    /20 of 20 predictions/,
  )
  await predict(opened, { count: 1, ageDays: -60 })
  await leaveByTheClock(wrong)
  assert.equal(await count(), 21, 'a new row does not make the wrong clock right')
  assert.match(await (await call('/status')).text(), /The clock is right/)
  await leaveByTheClock(home)
  assert.deepEqual([await count(), listWarnings(home.db).length], [21, 0], 'the clock is back')
  await leaveByTheClock(wrong)
  await confirmClock(wrong)
  await leaveByTheClock(wrong)
  assert.equal(await count(), 1)
})

test('without a kept look at the clock its jump is told from the newest row, and by the page or API it is confirmed', async (t) => {
  const folders = await homeWithPackage(t)
  const first = await openedHome(folders)
  await predict(first, { count: 20, ageDays: 60 })
  for (const table of ['changes', 'activations'] as const) {
    await first.home.db.updateTable(table).set({ at: '2020-01-01T00:00:00.000Z' }).execute()
  }
  await first.home.close()
  await rm(join(folders.dataDir, 'clock.json'))
  const { home, call } = await openedHome(folders)
  const rows = () => home.db.selectFrom('predictions').select('id').execute()
  assert.equal((await rows()).length, 20)
  assert.equal((await call('/api/v1/clock/confirm', { method: 'POST' })).status, 200)
  assert.equal((await rows()).length, 0)
})

test('what had its time while the server was off for a few days is forgotten without asking', async (t) => {
  const folders = await homeWithPackage(t)
  const opened = await openedHome(folders)
  await predict(opened, { count: 20, ageDays: 27 })
  await leaveByTheClock(opened.home)
  const later = Object.create(opened.home, {
    clock: { value: () => new Date(Date.now() + 5 * DAY_MS) },
  })
  await leaveByTheClock(later)
  assert.deepEqual(await opened.home.db.selectFrom('predictions').select('id').execute(), [])
})

test('a store that is not mounted stops the start and changes nothing; mounted again all answers as before', async (t) => {
  const folders = await homeWithPackage(t)
  const opened = await openedHome({ ...folders, env: { ...folders.env, ROENTGEN_DEMO: 'auto' } })
  assert.equal((await getVersion(opened.home.db, REF)).status, 'unevaluated')
  await opened.home.close()
  const elsewhere = join(folders.root, 'elsewhere')
  await rename(folders.modelsDir, elsewhere)
  await mkdir(folders.modelsDir)
  const env = { ...folders.env, ROENTGEN_DEMO: 'auto' }
  await assert.rejects(openedHome({ ...folders, env }), {
    code: 'unavailable',
    message: /none of the 1 versions.*mount that/s,
  })
  assert.deepEqual(await readdir(folders.modelsDir), [])
  await rm(folders.modelsDir, { recursive: true })
  await rename(elsewhere, folders.modelsDir)
  const { home } = await openedHome(folders)
  assert.equal((await getVersion(home.db, REF)).status, 'unevaluated')
})

test('with the empty marker a start without packages is possible, and says which are missing', async (t) => {
  const folders = await homeWithPackage(t)
  const opened = await openedHome(folders)
  await opened.home.close()
  await rm(folders.modelsDir, { recursive: true })
  await mkdir(folders.modelsDir)
  await writeFile(join(folders.modelsDir, '.roentgen-store'), '')
  const { home } = await openedHome(folders)
  assert.equal((await getVersion(home.db, REF)).status, 'quarantined')
})

test('a store that vanishes while the server runs is no damage, and is looked at by itself when it is back', async (t) => {
  const folders = await homeWithPackage(t)
  const { home } = await openedHome(folders)
  const elsewhere = join(folders.root, 'elsewhere')
  await rename(folders.modelsDir, elsewhere)
  await mkdir(folders.modelsDir)
  const warned = () => listWarnings(home.db).some(({ key }) => key === 'store')
  while (!warned()) await after(50)
  assert.equal((await getVersion(home.db, REF)).status, 'unevaluated')
  await rm(folders.modelsDir, { recursive: true })
  await rename(elsewhere, folders.modelsDir)
  while (warned()) await after(50)
  assert.equal((await getVersion(home.db, REF)).status, 'unevaluated')
})

test('a version whose files were missing at a start is verified by itself when they return', async (t) => {
  const folders = await homeWithPackage(t)
  await storePackage(folders, { seed: 2 })
  const opened = await openedHome(folders)
  await opened.home.close()
  const [dir, away] = [join(folders.modelsDir, 'pneumonia/tiny/v1'), join(folders.root, 'v1')]
  await rename(dir, away)
  const { home } = await openedHome(folders)
  assert.equal((await getVersion(home.db, REF)).status, 'quarantined')
  await rename(away, dir)
  while ((await getVersion(home.db, REF)).status === 'quarantined') await after(50)
})
