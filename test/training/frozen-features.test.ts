// A frozen part that is run once gives the training that running it in every epoch gives.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { trainLastLayers } from '../../src/architectures/fine-tuning.ts'
import { prepareDataset } from '../../src/training/dataset/prepare.ts'
import { openPrepared } from '../../src/training/dataset/prepared.ts'
import type { TrainingMessage } from '../../src/training/job.ts'
import { readCheckpoint } from '../../src/training/loop/checkpoint.ts'
import type { Control } from '../../src/training/loop/control.ts'
import { trainModel } from '../../src/training/loop/train.ts'
import {
  augmentationFor,
  completeHyperparameters,
  type GivenHyperparameters,
} from '../../src/training/settings.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-frozen-'))
after(() => rm(root, { recursive: true, force: true }))
await prepareDataset({
  dir: await drawDataset(join(root, 'spots'), 40),
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

interface Wish {
  readonly given?: GivenHyperparameters
  readonly stopAfter?: number
  readonly from?: string
}

/** Trains the last layers of a small network in a folder of its own. */
async function train(name: string, { given = {}, stopAfter, from }: Wish) {
  const dir = join(root, name)
  await mkdir(dir)
  const prepared = await openPrepared(join(root, 'prepared'))
  const control: Control = { wish: 'go on' }
  const model = getArchitecture('tiny_cnn').build({
    height: 32,
    width: 32,
    channels: 1,
    outputs: 1,
    seed: 42,
  })
  const first = model.layers.find((layer) => layer.weights.length > 0)
  trainLastLayers(model, 4)
  const kernel = first?.getWeights()[0]?.dataSync().slice()
  const logs: string[] = []
  const trained = await trainModel(model, {
    prepared,
    hyperparameters: completeHyperparameters(
      { batchSize: 16, epochs: 3, ...given },
      { preset: 'quick', learningRate: 2e-3, imageSize: 32, augmentation: augmentationFor('knee') },
    ),
    engine: 'onnx',
    threads: 1,
    control,
    checkpointPath: join(dir, 'checkpoint.bin'),
    ...(from ? { resumeFrom: await readCheckpoint(from) } : {}),
    report: (message: TrainingMessage) => {
      if (message.type === 'log') logs.push(message.text)
      if (message.type === 'epoch' && message.record.epoch === stopAfter) control.wish = 'stop'
    },
  })
  prepared.close()
  assert.deepEqual(first?.getWeights()[0]?.dataSync(), kernel, 'frozen weights stay')
  const losses = trained.history.flatMap(({ trainLoss, valLoss }) => [trainLoss, valLoss])
  return { trained, losses, logs, files: await readdir(dir), model }
}

test('without augmentation, the frozen part run once gives the losses of running it in every epoch', async () => {
  const anew = await train('anew', { given: { augmentation: null, frozenCopies: 0 } })
  const once = await train('once', { given: { augmentation: null, frozenCopies: 5 } })
  assert.equal(anew.trained.frozen, null)
  assert.equal(once.trained.frozen?.copies, 1, 'copies that do not differ are not made')
  for (const [i, loss] of once.losses.entries()) {
    assert.ok(Math.abs(loss - (anew.losses[i] ?? Number.NaN)) < 1e-5, `${loss}, ${anew.losses[i]}`)
  }
})

test('with augmentation the copies are taken in turn, said in the log, and removed at the end', async () => {
  const { trained, logs, files } = await train('copies', {
    given: { frozenCopies: 2, schedule: 'constant' },
  })
  assert.equal(trained.frozen?.copies, 2)
  assert.match(logs.join('\n'), /the frozen part was run on 2 augmented copies: \d+ rows of \d+/)
  assert.deepEqual(files, ['checkpoint.bin'])
  const anew = await train('copies-anew', {
    given: { frozenCopies: 0, epochs: 2, schedule: 'constant' },
  })
  // In the first two epochs each copy is seen for the first time, as it is when the frozen part runs in every epoch.
  const two = trained.history.slice(0, 2).map(({ trainLoss }) => trainLoss)
  for (const [i, loss] of two.entries()) {
    assert.ok(Math.abs(loss - (anew.trained.history[i]?.trainLoss ?? Number.NaN)) < 1e-5)
  }
})

test('a run on kept features that was stopped and resumed ends with the same bits', async () => {
  const given = { frozenCopies: 2, schedule: 'constant' } as const
  const whole = await train('whole', { given })
  await train('half', { given, stopAfter: 2 })
  const rest = await train('rest', { given, from: join(root, 'half/checkpoint.bin') })
  assert.deepEqual(rest.losses, whole.losses)
  const weights = ({ model }: typeof whole) => model.getWeights().map((one) => one.dataSync())
  assert.deepEqual(weights(rest), weights(whole))
})
