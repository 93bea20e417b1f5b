// A training that ends for want of memory is recognised, and the limit of ours is kept.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { isAppError } from '../../src/errors.ts'
import { memoryDeath, memoryKills } from '../../src/processes/memory-death.ts'
import { TrainingProcess, wasInterrupted, wasStarved } from '../../src/training/training-process.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

const kills = { killsBefore: [0, 3], killsAfter: [0, 3] }

test('only a kill that the kernel counts, or its own words, say that a process ended for want of memory', () => {
  const killed = { signal: 'SIGKILL', exitReason: '' } as const
  assert.match(memoryDeath({ ...killed, ...kills, killsAfter: [1, 4] }) ?? '', /^Memory ran out/)
  assert.equal(memoryDeath({ ...killed, ...kills }), undefined)
  const crash = { signal: 'SIGSEGV', exitReason: 'Segmentation fault' } as const
  assert.equal(memoryDeath({ ...crash, ...kills }), undefined)
  for (const exitReason of ['std::bad_alloc', 'FATAL ERROR: JavaScript heap out of memory']) {
    assert.match(
      memoryDeath({ signal: 'SIGABRT', exitReason, ...kills }) ?? '',
      /ran out of memory/,
    )
  }
  assert.ok(memoryKills().every((count) => Number.isInteger(count)))
  if (process.platform === 'linux') assert.equal(memoryKills().length, 1)
})

test('a training that takes more than it may is ended, and says so', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'roentgen-starved-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const training = new TrainingProcess(
    {
      id: 'starved',
      condition: { id: 'spots', name: 'Spots', bodyPart: 'knee' },
      datasetDir: await drawDataset(join(root, 'spots'), 40),
      datasetName: 'spots',
      architecture: 'tiny_cnn',
      preset: 'intensive',
      hyperparameters: { batchSize: 8, imageSize: 32, epochs: 1000, earlyStopping: 0 },
      workDir: root,
      packageDir: join(root, 'package'),
      threads: 1,
    },
    { memoryLimitBytes: 64 * 2 ** 20 },
  )
  await assert.rejects(training.result, (error) => {
    assert.ok(isAppError(error) && wasStarved(error) && wasInterrupted(error))
    assert.match(error.message, /took \d+ MiB of memory and may take 64 .* smaller batch/)
    return true
  })
})
