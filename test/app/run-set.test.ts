// Runs asked for together: how far, and how long the rest will take by what this machine has measured.
import assert from 'node:assert/strict'
import test from 'node:test'
import { secondsLeft, summariseSet } from '../../src/app/runs/run-set.ts'
import { NO_PROGRESS, type RunEpoch } from '../../src/registry/runs/run-record.ts'
import type { Run } from '../../src/registry/runs/runs.ts'

const epoch = (n: number, seconds: number) => ({ epoch: n, seconds, valLoss: 1 }) as RunEpoch

function run(changes: Partial<Run>): Run {
  return {
    id: 'run',
    dataset: 'small',
    architecture: 'tiny_cnn',
    preset: 'quick',
    state: 'queued',
    hyperparameters: {},
    progress: NO_PROGRESS,
    ...changes,
  } as Run
}

/** Ten epochs of 3 s, and 12 s around them. */
const finished = run({
  state: 'finished',
  progress: {
    ...NO_PROGRESS,
    history: Array.from({ length: 10 }, (_, i) => epoch(i + 1, 3)),
    phases: { preparing: 4, training: 32, evaluating: 5, writing: 1 },
  },
})
const datasets = [
  { id: 'small', prepared: { splits: { train: { A: 60, B: 40 }, test: { A: 60, B: 40 } } } },
  { id: 'large', prepared: { splits: { train: { A: 900, B: 60 }, test: { A: 300, B: 40 } } } },
] as unknown as Parameters<typeof summariseSet>[2]['datasets']
const measured = { datasets, finished: [finished] }

test('what waits is estimated by a finished run of the same architecture, by images and epochs', () => {
  assert.equal(secondsLeft(run({}), measured), 5 * 3 + 12)
  assert.equal(secondsLeft(run({ hyperparameters: { epochs: 2 } }), measured), 2 * 3 + 12)
  const large = run({ dataset: 'large' })
  assert.equal(secondsLeft(large, measured), ((1200 + 100) / 200) * (5 * 3 + 12))
  const limited = run({ dataset: 'large', preset: 'heatmap-standard' })
  assert.equal(secondsLeft(limited, measured), ((500 + 100) / 200) * (10 * 3 + 12))
  assert.equal(secondsLeft(run({ architecture: 'VGG16' }), measured), null)
})

test('what runs goes by its own pace; what has ended needs no time', () => {
  const progress = { ...NO_PROGRESS, phase: 'training', etaSeconds: 40 } as const
  assert.equal(secondsLeft(run({ state: 'running', progress }), measured), 40 + 12)
  const evaluating = { ...progress, phase: 'evaluating' } as const
  assert.equal(secondsLeft(run({ state: 'running', progress: evaluating }), measured), 12)
  assert.equal(secondsLeft(run({ state: 'failed' }), measured), 0)
})

test('a set adds up its runs: done, ended, time left, time of each phase', () => {
  const half = {
    ...NO_PROGRESS,
    phase: 'training',
    epoch: 3,
    epochs: 5,
    batch: 1,
    batches: 2,
  } as const
  const running = run({ state: 'running', progress: { ...half, etaSeconds: 10 } })
  const set = summariseSet('one', [finished, running, run({})], measured)
  assert.equal(set.ended, 1)
  assert.equal(set.done, (1 + 2.5 / 5 + 0) / 3)
  assert.equal(set.etaSeconds, 0 + (10 + 12) + (5 * 3 + 12))
  assert.deepEqual(set.phases, { preparing: 4, training: 32, evaluating: 5, writing: 1 })
  const unknown = summariseSet('two', [run({ architecture: 'VGG16' })], measured)
  assert.equal(unknown.etaSeconds, null)
})
