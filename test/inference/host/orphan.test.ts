// A web process that is killed leaves no model host behind.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../runtime-bench.ts'
import { temporaryFolder, tinyPackage } from '../tiny-package.ts'

const LONE_RUNTIME = fileURLToPath(new URL('../lone-runtime.ts', import.meta.url))

/** False when it is gone, also when nobody has asked for its exit status yet. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return process.platform !== 'linux'
  }
}

test('when the web process is killed its hosts end by themselves', async (t) => {
  const dir = await temporaryFolder(t)
  const { id, dir: folder, sha256 } = await tinyPackage(dir, { seed: 1 })
  const parent = fork(LONE_RUNTIME, [dir, id, folder, sha256], { execArgv: [] })
  const [pid] = (await once(parent, 'message')) as [number]
  assert.ok(isRunning(pid))
  parent.kill('SIGKILL')
  await until(() => !isRunning(pid))
})
