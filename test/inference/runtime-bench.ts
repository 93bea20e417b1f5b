// Test support: a running imaging pool and model runtime over a temporary data folder, ended with the test.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ImagingPool } from '../../src/imaging/imaging-pool.ts'
import type { ServingSource } from '../../src/inference/host/serving-copy.ts'
import { ModelRuntime } from '../../src/inference/runtime.ts'
import type { RuntimeOptions } from '../../src/inference/runtime-options.ts'
import { temporaryFolder } from './tiny-package.ts'

export const SILENT = { info() {}, warn() {}, error() {} }

export interface Bench {
  readonly dir: string
  readonly runtime: ModelRuntime
  /** A second runtime on the same data folder, as after a restart of the server. */
  another(): Promise<ModelRuntime>
}

export async function startBench(
  t: TestContext,
  options: Partial<RuntimeOptions> = {},
): Promise<Bench> {
  const dir = await temporaryFolder(t)
  const imaging = new ImagingPool({ workers: 1, limits: { maxBytes: 1e6, maxPixels: 1e6 } })
  imaging.start()
  t.after(() => imaging.stop())
  const dataDir = join(dir, 'data')
  await mkdir(dataDir)
  const another = async () => {
    const runtime = new ModelRuntime({
      dataDir,
      threads: 1,
      cores: 1,
      queueLength: 64,
      hostMemoryBytes: 2 ** 32,
      warmMs: 60_000,
      imaging,
      log: SILENT,
      ...options,
    })
    await runtime.start()
    t.after(() => runtime.stop())
    return runtime
  }
  return { dir, runtime: await another(), another }
}

let activations = 0

export async function activate(
  runtime: ModelRuntime,
  source: ServingSource,
  o: { readonly reuseWarm?: boolean } = {},
): Promise<string> {
  const prepared = await runtime.prepare(source, o)
  const id = `activation-${++activations}`
  await prepared.switchTo(id)
  return id
}

/** The version that answered and its logit for a tensor. */
export async function ask(
  runtime: ModelRuntime,
  tensor: Float32Array,
): Promise<{ readonly versionId: string; readonly logit: number }> {
  const lease = await runtime.lease('pneumonia')
  try {
    const { logits } = await lease.infer(tensor)
    return { versionId: lease.versionId, logit: logits?.[0] ?? Number.NaN }
  } finally {
    lease.release()
  }
}

/** Resolves when `claim` holds; looks again after each turn of the event loop, fails after a minute. */
export async function until(claim: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!claim()) {
    if (Date.now() > deadline) throw new Error('it did not come true within a minute')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
