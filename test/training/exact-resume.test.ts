// kill -9 at any moment, in the middle of an epoch and while a checkpoint is written: the run that is gone on with ends with the
// bits of one that was never stopped. Two threads, dropout, augmentation, plateau schedule, partly frozen batch normalisation.
// ROENTGEN_SLOW_TESTS=1 kills thirty times instead of three.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import type { TrainingJob } from '../../src/training/job.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import { digestsOf, trainWithKills } from '../support/training/killed-training.ts'

const isSlow = process.env.ROENTGEN_SLOW_TESTS === '1'
const KILLS = isSlow ? 30 : 3

const root = await mkdtemp(join(tmpdir(), 'roentgen-exact-'))
after(() => rm(root, { recursive: true, force: true }))
const datasetDir = await drawDataset(join(root, 'spots'), isSlow ? 140 : 60)

function jobNamed(id: string, frozenCopies = 0): TrainingJob {
  return {
    id,
    condition: { id: 'spots', name: 'Spots', bodyPart: 'knee' },
    datasetDir,
    datasetName: 'spots',
    // Dropout before its last layer, batch normalisation after each convolution.
    architecture: 'Custom_CNN',
    preset: 'quick',
    hyperparameters: {
      batchSize: 8,
      epochs: isSlow ? 7 : 3,
      imageSize: 32,
      learningRate: 3e-3,
      schedule: 'plateau',
      plateauPatience: 1,
      earlyStopping: 0,
      trainedLayers: 9,
      frozenCopies,
    },
    prepared: { dir: join(root, 'prepared'), seed: 42, maxPerClass: null, exclude: [] },
    workDir: join(root, id),
    packageDir: join(root, `${id}-package`),
    threads: 2,
  }
}

test(`a run that is killed ${KILLS} times ends with the bits of one that was never stopped`, async (t) => {
  const whole = jobNamed('whole')
  await trainWithKills(whole, { kills: 0, seed: 0 })
  const killed = jobNamed('killed')
  const { inWriting, resumed } = await trainWithKills(killed, { kills: KILLS, seed: 7 })
  assert.deepEqual(await digestsOf(killed), await digestsOf(whole))
  const within = resumed.filter(({ batches }) => batches > 0)
  t.diagnostic(
    `${KILLS} kills, ${inWriting} of them while a checkpoint was written; went on ${resumed.length} times, ` +
      `${within.length} of them within an epoch`,
  )
  assert.ok(within.length > 0, 'at least once it went on in the middle of an epoch')
  for (const { differs } of resumed) assert.deepEqual(differs, [], 'said to be exact')
  if (isSlow) assert.ok(inWriting > 0, 'at least one kill met a checkpoint that was being written')
})

test('so does one whose frozen part is run once, and its features are not made again', async (t) => {
  // Eight kills of a training that keeps features take minutes; the test above proves the rest in each run.
  if (!isSlow) return t.skip('slow: ROENTGEN_SLOW_TESTS=1 runs it')
  const whole = jobNamed('whole-features', 2)
  await trainWithKills(whole, { kills: 0, seed: 0 })
  const killed = jobNamed('killed-features', 2)
  const { logs, resumed } = await trainWithKills(killed, { kills: 8, seed: 11 })
  assert.deepEqual(await digestsOf(killed), await digestsOf(whole))
  assert.ok(logs.some((text) => /still there/.test(text)))
  for (const { differs } of resumed) assert.deepEqual(differs, [])
})
