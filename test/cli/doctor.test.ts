import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import test from 'node:test'
import { homeFolders } from '../support/home.ts'
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

test('doctor fails when the port is taken, and says what to do', async (t) => {
  const { env } = await homeFolders(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const ended = await roentgen(['doctor'], { env: { ...env, PORT: String(port) } })
  assert.equal(ended.status, 1)
  assert.match(ended.stdout, new RegExp(`PROBLEM +server +Port ${port} is taken.*set PORT`))
  assert.match(ended.stderr, /^roentgen: One check failed; what to do stands beside it\.\n$/)
})

test('doctor names a wrong setting', async (t) => {
  const { env } = await homeFolders(t)
  const ended = await roentgen(['doctor'], { env: { ...env, ROENTGEN_DEMO: 'maybe' } })
  assert.equal(ended.status, 1)
  assert.match(ended.stdout, /PROBLEM +settings +ROENTGEN_DEMO is "maybe", but must be auto, off/)
})
