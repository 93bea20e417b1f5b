// Six hosts with small models, as in the demonstration, stay within 800 MB together.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { activate, startBench } from '../runtime-bench.ts'
import { noise, SIDE, tinyPackage } from '../tiny-package.ts'

const CONDITIONS = [
  'pneumonia',
  'cardiomegaly',
  'osteoporosis',
  'osteoarthritis',
  'limb-abnormality',
  'skin-lesion',
]
const MAX_BYTES = 800e6

/** Resident memory as the system counts it, or undefined where there is no /proc. */
function residentBytes(pid: number): number | undefined {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(line?.[1]) * 1024
  } catch {
    return undefined
  }
}

test('six active hosts stay under 800 MB of resident memory together', async (t) => {
  const { dir, runtime } = await startBench(t)
  for (const condition of CONDITIONS) {
    await activate(runtime, await tinyPackage(dir, { seed: 1, condition, golden: 1 }))
  }
  for (const condition of CONDITIONS) {
    const lease = await runtime.lease(condition)
    for (let run = 0; run < 20; run++) await lease.infer(noise(run, SIDE * SIDE), { explain: true })
    lease.release()
  }
  const active = runtime.status().filter((one) => one.role === 'active')
  assert.equal(active.length, CONDITIONS.length)
  const sizes = active.map((one) => residentBytes(one.pid ?? 0) ?? one.rssBytes)
  const total = sizes.reduce((a, b) => a + b, 0)
  t.diagnostic(`six hosts: ${Math.round(total / 1e6)} MB`)
  assert.ok(total < MAX_BYTES, `${total} bytes`)
})
