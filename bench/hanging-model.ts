// How long other conditions wait while one model never ends: the demonstration version of one condition is asked by four
// callers, alone and then beside a model that hangs and is put back each time it is set aside. Ends by itself after a minute.
// node bench/hanging-model.ts
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ImagingPool } from '../src/imaging/imaging-pool.ts'
import { ModelRuntime } from '../src/inference/runtime.ts'
import { readManifest } from '../src/package/manifest.ts'
import { SIDE, tinyPackage } from '../test/inference/tiny-package.ts'
import { endlessModel } from '../test/support/greedy-models.ts'

const SECONDS = 20
const CALLERS = 4
const MODELS = fileURLToPath(new URL('../models/', import.meta.url))
const CONDITION = 'pneumonia'
const HANGING = 'hanging'

const dir = await mkdtemp(join(tmpdir(), 'roentgen-hanging-'))
const dataDir = join(dir, 'data')
await mkdir(dataDir)
const imaging = new ImagingPool({ workers: 1, limits: { maxBytes: 1e7, maxPixels: 1e7 } })
imaging.start()
const runtime = new ModelRuntime({
  dataDir,
  threads: availableParallelism(),
  queueLength: 64,
  hostMemoryBytes: 2 ** 31,
  warmMs: 0,
  imaging,
  log: { info() {}, warn() {}, error() {} },
})
await runtime.start()
try {
  const demonstration = await demonstrationOf(CONDITION)
  await (await runtime.prepare(demonstration)).switchTo('a')
  const alone = await askFor(SECONDS)
  const graphBytes = endlessModel()
  const hanging = await tinyPackage(dir, { seed: 1, condition: HANGING, plain: true, graphBytes })
  await (await runtime.prepare(hanging)).switchTo('b')
  let going = true
  let ended = 0
  const bright = new Float32Array(SIDE * SIDE).fill(1)
  const greedy = Array.from({ length: CALLERS }, async () => {
    while (going) {
      await infer(HANGING, bright).catch(() => undefined)
      ended += 1
      const isAside = runtime.conditions().some((one) => /set aside/.test(one.reason))
      if (isAside) await (await runtime.prepare(hanging)).switchTo(`c${ended}`).catch(() => {})
    }
  })
  const beside = await askFor(SECONDS)
  going = false
  await Promise.all(greedy)
  process.stdout.write(
    `${demonstration.id}, ${CALLERS} callers, ${SECONDS} s each, ms\n` +
      `alone              ${shown(alone)}\n` +
      `one model hangs    ${shown(beside)}  (${ended} of its requests ended)\n`,
  )
} finally {
  await runtime.stop()
  await imaging.stop()
  await rm(dir, { recursive: true, force: true })
}

async function demonstrationOf(condition: string) {
  const [name = ''] = (await readdir(join(MODELS, condition))).filter((one) => !one.includes('.'))
  const folder = join(MODELS, condition, name, 'v1')
  return { id: `${condition}/${name}@1`, dir: folder, sha256: (await readManifest(folder)).sha256 }
}

async function infer(condition: string, tensor?: Float32Array): Promise<void> {
  const lease = await runtime.lease(condition)
  try {
    const { width, height, channels } = lease.preprocessing
    await lease.infer(tensor ?? new Float32Array(width * height * channels), { explain: true })
  } finally {
    lease.release()
  }
}

async function askFor(seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000
  const times: number[] = []
  const callers = Array.from({ length: CALLERS }, async () => {
    while (performance.now() < until) {
      const started = performance.now()
      await infer(CONDITION)
      times.push(performance.now() - started)
    }
  })
  await Promise.all(callers)
  return times.sort((a, b) => a - b)
}

function shown(times: readonly number[]): string {
  const at = (share: number): string =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN).toFixed(0)
  return `n ${times.length}  p50 ${at(0.5)}  p95 ${at(0.95)}  p99 ${at(0.99)}  max ${at(1)}`
}
