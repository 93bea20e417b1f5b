// Test support: a process of its own that serves one version, says the host's process id, and is then killed by the test.
import { ImagingPool } from '../../src/imaging/imaging-pool.ts'
import { ModelRuntime } from '../../src/inference/runtime.ts'
import { SILENT } from './runtime-bench.ts'

const [dataDir = '', id = '', dir = '', sha256 = ''] = process.argv.slice(2)
const runtime = new ModelRuntime({
  dataDir,
  threads: 1,
  queueLength: 1,
  hostMemoryBytes: 2 ** 32,
  warmMs: 0,
  imaging: new ImagingPool({ workers: 1, limits: { maxBytes: 1e6, maxPixels: 1e6 } }),
  log: SILENT,
})
await runtime.start()
await runtime.restore({ id, dir, sha256 }, 'activation-1')
process.send?.(runtime.status()[0]?.pid)
