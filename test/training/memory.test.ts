// Memory stays flat: a training's over its epochs, the server's over ten runs. Minutes long, so only with ROENTGEN_SLOW_TESTS=1.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import type { Run } from '../../src/registry/runs/runs.ts'
import { TrainingProcess } from '../../src/training/training-process.ts'
import { homeFolders, jsonBody, servedHome, untilReady } from '../support/home.ts'
import { sentEvents } from '../support/sse.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

const MIB = 2 ** 20
const skip =
  process.env.ROENTGEN_SLOW_TESTS !== '1'
    ? 'takes minutes; ROENTGEN_SLOW_TESTS=1 runs it'
    : process.platform !== 'linux' && 'reads the memory of a process from /proc'

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

test('the memory of a training is flat over 60 epochs', { skip }, async (t) => {
  const { root } = await homeFolders(t)
  const epochs: number[] = []
  const reads: Promise<unknown>[] = []
  const training: TrainingProcess = new TrainingProcess(
    {
      id: 'flat',
      condition: { id: 'spots', name: 'Spots', bodyPart: 'knee' },
      datasetDir: await drawDataset(join(root, 'spots'), 80),
      datasetName: 'spots',
      architecture: 'Custom_CNN',
      preset: 'quick',
      hyperparameters: { epochs: 60, earlyStopping: 0, batchSize: 16, imageSize: 64 },
      workDir: join(root, 'work'),
      packageDir: join(root, 'package'),
      threads: 2,
    },
    {
      onMessage: (message) => {
        if (message.type !== 'epoch' || training.pid === undefined) return
        reads.push(
          residentBytes(training.pid).then(
            (bytes) => epochs.push(bytes),
            () => {},
          ),
        )
      },
    },
  )
  await training.result
  await Promise.all(reads)
  const [early, late] = [median(epochs.slice(5, 15)), median(epochs.slice(-10))]
  const words = `${Math.round(early / MIB)} MiB in epochs 6 to 15, ${Math.round(late / MIB)} in the last ten`
  t.diagnostic(words)
  assert.ok(late < early * 1.1 + 16 * MIB, words)
})

test('the memory of the server is flat over ten runs', { skip }, async (t) => {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), 40)
  const server = await servedHome(folders)
  await untilReady(server.url)
  const call = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init)
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: 'SICK', positive: true },
  ]
  await call('/api/v1/conditions', jsonBody({ id: 'spots', kind: 'binary', classes }))
  const scanned = await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' }))
  const { id } = (await scanned.json()) as Dataset
  await call(`/api/v1/datasets/${id}/prepare`, jsonBody({ condition: 'spots', imageSize: 32 }))
  const sizes: number[] = []
  for (let n = 0; n < 10; n++) {
    const hyperparameters = { batchSize: 8, imageSize: 32, epochs: 8, seed: n }
    const wishes = { dataset: id, architecture: 'tiny_cnn', preset: 'quick', hyperparameters }
    const queued = await call('/api/v1/runs', jsonBody({ condition: 'spots', ...wishes }))
    const run = (await queued.json()) as Run
    for await (const _ of sentEvents(await call(`/api/v1/runs/${run.id}/events`)));
    sizes.push(await residentBytes(server.child.pid ?? 0))
  }
  const words = `MiB after each run: ${sizes.map((bytes) => Math.round(bytes / MIB)).join(', ')}`
  t.diagnostic(words)
  const [third, last] = [sizes[2] ?? 0, sizes.at(-1) ?? 0]
  assert.ok(last < third * 1.1 + 16 * MIB, words)
})
