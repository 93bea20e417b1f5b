// Trainings from a folder of images to a registered package, in real child processes.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { createSession } from '../../src/engine/session.ts'
import { isAppError } from '../../src/errors.ts'
import { decodeImage } from '../../src/imaging/decode.ts'
import { preprocess } from '../../src/imaging/preprocess.ts'
import type { Preprocessing } from '../../src/imaging/preprocessing.ts'
import { parseCsv } from '../../src/package/csv.ts'
import { readServingConfig } from '../../src/package/serving-config.ts'
import { verifyPackage } from '../../src/package/verify-package.ts'
import { openStore } from '../../src/registry/home/store.ts'
import type { TrainingJob, TrainingMessage } from '../../src/training/job.ts'
import { runJob } from '../../src/training/run-job.ts'
import { type TrainRequest, trainOnce } from '../../src/training/train-once.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-train-'))
after(() => rm(root, { recursive: true, force: true }))
const datasetDir = await drawDataset(join(root, 'spots'), 100)
const store = await openStore({ modelsDir: join(root, 'models'), dataDir: join(root, 'data') })

const request: TrainRequest = {
  condition: { id: 'spots', name: 'Spots', bodyPart: 'chest' },
  datasetDir,
  datasetName: 'spots',
  architecture: 'tiny_cnn',
  preset: 'quick',
  threads: 1,
  hyperparameters: { batchSize: 16, imageSize: 32, learningRate: 3e-3, epochs: 6 },
}

const messages: TrainingMessage[] = []
const first = await trainOnce(
  { ...request, id: 'first' },
  { store, onMessage: (message) => messages.push(message) },
)
const read = (file: string) => readFile(join(first.packageDir, file), 'utf8')

test('a small network learns to see the spots and says how well it does', async () => {
  assert.ok((first.balancedAccuracy ?? 0) > 0.85, `${first.balancedAccuracy}`)
  const { manifest, sha256 } = await verifyPackage(first.packageDir)
  assert.equal(sha256, first.sha256)
  assert.equal(manifest.name, 'tiny-cnn-quick')
  assert.equal(manifest.kind, 'binary')
  assert.deepEqual(manifest.classes, [
    { label: 'NORMAL', positive: false },
    { label: 'SICK', positive: true },
  ])
  assert.equal(manifest.metrics?.balancedAccuracy, first.balancedAccuracy)
  assert.equal(manifest.defaultOperatingPoint, 'youden')
})

test('the package holds every file that the contract names for now', async () => {
  const { manifest } = await verifyPackage(first.packageDir)
  const paths = manifest.files.map(({ path }) => path)
  const expected = [
    'README.md',
    'configs/model.json',
    'configs/optimizer.json',
    'configs/preprocessing.json',
    'configs/train.json',
    'models/tfjs/model.json',
    'models/tiny-cnn-quick.h5',
    'models/tiny-cnn-quick.keras',
    'models/tiny-cnn-quick.onnx',
    'models/tiny-cnn-quick.weights.h5',
    'results/SUMMARY.txt',
    'results/dataset_stats.json',
    'results/golden/golden.json',
    'results/metadata.json',
    'results/per_class_metrics.csv',
    'results/predictions.csv',
    'results/results_summary.json',
    'results/training_history.csv',
    'results/training_history.json',
  ]
  assert.deepEqual(
    expected.filter((path) => !paths.includes(path)),
    [],
  )
  const header = (await read('results/training_history.csv')).split('\n')[0]
  assert.ok(header?.startsWith('epoch,train_loss,train_acc,val_loss,val_acc,learning_rate,'))
  const texts = await Promise.all(paths.filter((path) => !/\.(png|onnx|bin)$/.test(path)).map(read))
  assert.ok(
    texts.every((text) => !text.includes(root)),
    'no path of this machine',
  )
})

test('the graph reproduces its golden images and the stored answers to the test images', async () => {
  const { model, preprocessing, golden } = await readServingConfig(first.packageDir)
  const session = await createSession(await readFile(join(first.packageDir, model.graph.file)), {
    threads: 1,
  })
  const run = async (path: string) => {
    const { pixels } = await decodeImage(await readFile(path), { maxBytes: 1e7, maxPixels: 1e7 })
    const x = { data: preprocess(pixels, preprocessing), dims: [1, 32, 32, 1] }
    return (await session.run({ [model.graph.input.name]: x })).logits?.data[0] ?? Number.NaN
  }
  assert.equal(golden?.items.length, 4)
  for (const { file, probabilities } of golden?.items ?? []) {
    const p = 1 / (1 + Math.exp(-(await run(join(first.packageDir, file)))))
    assert.ok(Math.abs(p - (probabilities[1] ?? 0)) < 1e-6)
  }
  for (const row of parseCsv(await read('results/predictions.csv')).slice(0, 5)) {
    const z = await run(join(datasetDir, row.file ?? ''))
    assert.ok(Math.abs(z - Number(row.logit_sick)) < 1e-4)
  }
  await session.release()
})

test('the run reports its phases, batches and epochs, and leaves a log', async () => {
  const types = new Set(messages.map(({ type }) => type))
  for (const type of ['phase', 'prepared', 'progress', 'batch', 'epoch', 'finished'] as const) {
    assert.ok(types.has(type), type)
  }
  const log = await readFile(join(store.logsDir, 'first.log'), 'utf8')
  assert.match(log, /epoch 6\/6/)
  assert.deepEqual(await readdir(join(store.dataDir, 'training')), [])
})

test('the same job gives the same weights, bit for bit', async () => {
  const again = await trainOnce({ ...request, id: 'again' }, { store })
  const bytes = (dir: string) => readFile(join(dir, 'models/tfjs/weights.bin'))
  assert.ok((await bytes(again.packageDir)).equals(await bytes(first.packageDir)))
})

test('a training that cannot go on says why in one sentence', async () => {
  const job: TrainingJob = {
    ...request,
    id: 'wrong',
    workDir: join(root, 'wrong'),
    packageDir: join(root, 'wrong-package'),
    threads: 1,
  }
  const fails = (change: Partial<TrainingJob>, pattern: RegExp) =>
    assert.rejects(
      runJob({ ...job, ...change }, { control: { wish: 'go on' }, report: () => {} }),
      (error) => isAppError(error) && pattern.test(error.message),
    )
  await fails({ datasetDir: join(root, 'nowhere') }, /does not exist or may not be read/)
  await fails({ architecture: 'resnet9000' }, /is not an architecture; available: tiny_cnn/)
  const batch = { ...request.hyperparameters, batchSize: 500 }
  await fails({ hyperparameters: batch }, /fewer than one batch of 500/)
  const preprocessing: Preprocessing = {
    ...(await readServingConfig(first.packageDir)).preprocessing,
    scale: 1e38,
  }
  await fails({ preprocessing }, /no longer a number in epoch 1, batch 1/)
})

test('the sentence of a failure comes out of the child process', async () => {
  const nowhere = { ...request, datasetDir: join(root, 'nowhere') }
  await assert.rejects(trainOnce(nowhere, { store }), /does not exist or may not be read/)
  assert.deepEqual(await readdir(join(store.dataDir, 'training')), [])
})

test('a stopped training keeps its best epoch, a cancelled one nothing', async () => {
  const long = { ...request, hyperparameters: { ...request.hyperparameters, epochs: 500 } }
  const afterFirstEpoch = (id: string, act: 'cancel' | 'stopAndKeepBest') => {
    let end = (): void => {}
    return trainOnce(
      { ...long, id },
      {
        store,
        onProcess: (process) => {
          end = () => process[act]()
        },
        onMessage: ({ type }) => type === 'epoch' && end(),
      },
    )
  }
  const stopped = await afterFirstEpoch('stopped', 'stopAndKeepBest')
  assert.equal(stopped.endedBy, 'stopped by hand')
  await verifyPackage(stopped.packageDir)
  await assert.rejects(afterFirstEpoch('cancelled', 'cancel'), /was cancelled/)
  assert.ok(!(await readdir(store.stagingDir)).includes('run-cancelled'))
})
