// Trainings that start from kept weights, in real child processes: what is trained, what is recorded, and a training that
// starts from such a version again.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { getArchitecture } from '../../../src/architectures/catalogue.ts'
import { importWeights } from '../../../src/conversion/pretrained/import-weights.ts'
import { loadLayersModel } from '../../../src/engine/layers-model.ts'
import { openStore } from '../../../src/registry/home/store.ts'
import { type TrainRequest, trainOnce } from '../../../src/training/train-once.ts'
import { drawDataset } from '../../support/training/drawn-dataset.ts'
import { torchStateDict } from '../../support/weights/torch-state-dict.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-pretrained-'))
after(() => rm(root, { recursive: true, force: true }))
const datasetDir = await drawDataset(join(root, 'spots'), 24)
const store = await openStore({ modelsDir: join(root, 'models'), dataDir: join(root, 'data') })
const path = join(root, 'weights.safetensors')
const architecture = getArchitecture('efficientnet_b0')
const state = await torchStateDict(path, { architecture, channels: 3, outputs: 1 })
const { dataDir } = store
const kept = await importWeights({
  dataDir,
  path,
  name: 'efficientnet_b0-imagenet',
  at: new Date(),
})

const isSlow = process.env.ROENTGEN_SLOW_TESTS === '1'
let trained = ''

const request: TrainRequest = {
  condition: { id: 'spots', name: 'Spots', bodyPart: 'chest' },
  datasetDir,
  datasetName: 'spots',
  architecture: 'efficientnet_b0',
  preset: 'quick',
  threads: 2,
  hyperparameters: { weights: 'imagenet', batchSize: 8, imageSize: 32, epochs: 1 },
}

async function readJson(dir: string, file: string) {
  return JSON.parse(await readFile(join(dir, file), 'utf8'))
}

test('a run from kept weights has their network, scaling and channels, and trains its last layers', async () => {
  const { packageDir } = await trainOnce({ ...request, id: 'first' }, { store })
  trained = packageDir
  const train = await readJson(packageDir, 'configs/train.json')
  assert.equal(train.hyperparameters.trainedLayers, 20)
  assert.equal(train.hyperparameters.batchNorm, 'frozen')
  assert.equal(train.initialWeights.pretrained.sha256, kept.sha256)
  assert.equal(train.initialWeights.pretrained.source.sha256, kept.source.sha256)
  const { lineage } = await readJson(packageDir, 'manifest.json')
  assert.deepEqual([lineage.weights, lineage.weightsSha256], [kept.name, kept.sha256])
  const preprocessing = await readJson(packageDir, 'configs/preprocessing.json')
  assert.equal(preprocessing.channels, 3)
  assert.deepEqual(preprocessing.mean, [0.485, 0.456, 0.406])
  assert.equal((await readJson(packageDir, 'configs/model.json')).variant, 'torchvision')
  const model = await loadLayersModel(join(packageDir, 'models', 'tfjs'))
  const first = model.getLayer('stem_bn').getWeights()[0]?.dataSync()
  assert.deepEqual([...(first ?? [])], [...(state.get('features.0.1.weight') ?? [])])
  const norm = model.getLayer('top_bn').getWeights()[0]?.dataSync()
  assert.deepEqual([...(norm ?? [])], [...(state.get('features.8.1.weight') ?? [])])
  // The first filter of the last convolution: [out, in, 1, 1] of PyTorch is [1, 1, in, out] here.
  const last = model.getLayer('top_conv').getWeights()[0]?.dataSync() ?? []
  assert.notEqual(last[0], state.get('features.8.0.weight')?.[0])
  assert.equal(
    model.layers.find(({ name }) => name === 'normalization'),
    undefined,
  )
  model.dispose()
})

test('a run that starts from such a version has the details of its network', {
  skip: isSlow ? false : 'set ROENTGEN_SLOW_TESTS=1 to train again',
}, async () => {
  const initFrom = {
    ...{ version: 'spots/efficientnet-b0-quick@1', variant: 'torchvision' as const },
    modelDir: join(trained, 'models', 'tfjs'),
  }
  const preprocessing = await readJson(trained, 'configs/preprocessing.json')
  const { weights: _, ...hyperparameters } = request.hyperparameters ?? {}
  const again = await trainOnce(
    { ...request, id: 'second', hyperparameters, preprocessing, initFrom },
    { store },
  )
  assert.equal((await readJson(again.packageDir, 'configs/model.json')).variant, 'torchvision')
})

test('weights that are not here fail the run in one sentence', async () => {
  const wanted = { ...request.hyperparameters, weights: 'elsewhere' }
  await assert.rejects(
    trainOnce({ ...request, id: 'third', hyperparameters: wanted }, { store }),
    /no weights "elsewhere" of efficientnet_b0 here yet/,
  )
})
