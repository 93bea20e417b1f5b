import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { homeFolders, openedHome, storePackage } from '../support/home.ts'
import { makeSensorTree } from '../support/training/sensor-tree.ts'
import { roentgen, roentgenJson } from './run-cli.ts'

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}

test('doctor finds a sound machine sound, and makes no folder', async (t) => {
  const { env, dataDir } = await homeFolders(t)
  const findings = await roentgenJson<Finding[]>(['doctor'], { env })
  assert.deepEqual(
    findings.filter(({ ok }) => !ok),
    [],
  )
  assert.ok(findings.some(({ check }) => check === 'image decoder'))
  assert.equal(existsSync(dataDir), false)
})

test('doctor says how warm the processor is, or that no sensor shows it', async (t) => {
  const { env, root } = await homeFolders(t)
  const temperatures = async (sensors: string) => {
    const set = { ...env, ROENTGEN_SENSORS: sensors }
    const findings = await roentgenJson<Finding[]>(['doctor'], { env: set })
    return findings.find(({ check }) => check === 'temperatures')?.detail ?? ''
  }
  const tree = await makeSensorTree(join(root, 'sys'), 71)
  assert.match(await temperatures(tree.root), /^\d sensors, processor 71 °C/)
  assert.doesNotMatch(await temperatures(join(root, 'none')), /processor/)
})

test('doctor fails when the port is taken, and says what to do', async (t) => {
  const { env } = await homeFolders(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const ended = await roentgen(['doctor'], { env: { ...env, PORT: String(port) } })
  assert.equal(ended.status, 1)
  assert.match(
    ended.stdout,
    new RegExp(`PROBLEM +server +Port ${port} is in use by another program; stop it or set PORT`),
  )
  assert.match(ended.stderr, /^roentgen: One check failed; see the advice next to it\.\n$/)
})

test('doctor names a wrong setting', async (t) => {
  const { env } = await homeFolders(t)
  const ended = await roentgen(['doctor'], { env: { ...env, ROENTGEN_DEMO: 'maybe' } })
  assert.equal(ended.status, 1)
  assert.match(ended.stdout, /PROBLEM +settings +ROENTGEN_DEMO is "maybe", but must be auto, off/)
})

test('doctor hashes every package, looks at the database, and fails when one of them is damaged', async (t) => {
  const folders = await homeFolders(t)
  const { env, dataDir } = folders
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const before = await roentgen(['doctor'], { env })
  assert.match(before.stdout, /ok +packages +2 intact/, 'also before a registry is made')
  const { home } = await openedHome(folders)
  folders.closing.pop()
  await home.close()
  const sound = await roentgen(['doctor'], { env })
  assert.equal(sound.status, 0, sound.stdout)
  assert.match(sound.stdout, /ok +database +sound/)
  assert.match(sound.stdout, /ok +packages +2 intact, every file hashed/)
  assert.match(sound.stderr, /hashed/)

  await appendFile(join(a.dir, 'models/tiny.onnx'), 'x')
  const damaged = await roentgen(['doctor'], { env })
  assert.equal(damaged.status, 1)
  assert.match(
    damaged.stdout,
    /PROBLEM +packages +1 of 2 are damaged.*pneumonia\/tiny@1: .*tiny\.onnx/,
  )
  assert.doesNotMatch(damaged.stdout, new RegExp(`${b.id}:`))

  await writeFile(join(dataDir, 'roentgen.sqlite'), 'no database')
  const broken = await roentgen(['doctor'], { env })
  assert.equal(broken.status, 1)
  assert.match(
    broken.stdout,
    /PROBLEM +database +The database cannot be read; .*restore the last backup/,
  )
})
