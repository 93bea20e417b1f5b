// Checkpoints: whole or not there, and a resumed run ends with the same bits as one that was never stopped.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { prepareDataset } from '../../src/training/dataset/prepare.ts'
import { openPrepared } from '../../src/training/dataset/prepared.ts'
import { readCheckpoint, writeCheckpoint } from '../../src/training/loop/checkpoint.ts'
import type { Control } from '../../src/training/loop/control.ts'
import { trainModel } from '../../src/training/loop/train.ts'
import { augmentationFor, completeHyperparameters } from '../../src/training/settings.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-resume-'))
after(() => rm(root, { recursive: true, force: true }))
await prepareDataset({
  dir: await drawDataset(join(root, 'spots'), 60),
  outDir: join(root, 'prepared'),
  name: 'spots',
  seed: 42,
  preprocessing: {
    schema: 1,
    width: 32,
    height: 32,
    channels: 1,
    interpolation: 'bilinear',
    aspect: 'pad',
    antialias: true,
    scale: 1 / 127.5,
    mean: [1],
    std: [1],
    order: 'rgb',
  },
})
const hyperparameters = completeHyperparameters(
  { batchSize: 16, epochs: 4, schedule: 'plateau', plateauPatience: 1 },
  { preset: 'quick', learningRate: 2e-3, imageSize: 32, augmentation: augmentationFor('knee') },
)

/** Trains and gives the final weights; `stopAfter` an epoch, or go on from a checkpoint. */
async function train(name: string, o: { stopAfter?: number; from?: string } = {}) {
  const prepared = await openPrepared(join(root, 'prepared'))
  const checkpointPath = join(root, `${name}.bin`)
  const control: Control = { wish: 'go on' }
  const model = getArchitecture('tiny_cnn').build({
    height: 32,
    width: 32,
    channels: 1,
    outputs: 1,
    seed: 42,
  })
  const trained = await trainModel(model, {
    prepared,
    hyperparameters,
    engine: 'onnx',
    threads: 1,
    control,
    checkpointPath,
    ...(o.from ? { resumeFrom: await readCheckpoint(o.from) } : {}),
    report: (message) => {
      if (message.type === 'epoch' && message.record.epoch === o.stopAfter) control.wish = 'stop'
    },
  })
  prepared.close()
  const weights = model.getWeights().map((weight) => weight.dataSync())
  return { trained, weights, checkpointPath }
}

const whole = await train('whole')

test('a run that was stopped after an epoch and resumed ends with the same bits', async () => {
  const half = await train('half', { stopAfter: 2 })
  assert.equal(half.trained.history.length, 2)
  const rest = await train('rest', { from: half.checkpointPath })
  assert.deepEqual(rest.weights, whole.weights)
  const losses = ({ trained }: typeof whole) => trained.history.map((one) => one.trainLoss)
  assert.deepEqual(losses(rest), losses(whole))
  const [one, two] = [
    await readCheckpoint(whole.checkpointPath),
    await readCheckpoint(rest.checkpointPath),
  ]
  assert.deepEqual(two.optimizer, one.optimizer)
  assert.deepEqual(two.progress, one.progress)
})

test('a checkpoint comes back as it was written', async () => {
  const checkpoint = await readCheckpoint(whole.checkpointPath)
  const copy = join(root, 'copy.bin')
  await writeCheckpoint(copy, checkpoint)
  assert.deepEqual(await readFile(copy), await readFile(whole.checkpointPath))
})

test('a cut or foreign checkpoint is refused', async () => {
  const path = join(root, 'cut.bin')
  await writeFile(path, await readFile(whole.checkpointPath))
  await truncate(path, 5000)
  await assert.rejects(readCheckpoint(path), /no complete checkpoint/)
  await writeFile(path, 'something else')
  await assert.rejects(readCheckpoint(path), /no complete checkpoint/)
})
