// A training that is asked for int8: what the package then holds, and that a graph which costs accuracy is not offered.
import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { loadLayersModel } from '../../src/engine/layers-model.ts'
import { createSession } from '../../src/engine/session.ts'
import { type Evaluation, evaluate } from '../../src/evaluation/evaluate.ts'
import { readServingConfig } from '../../src/package/serving-config.ts'
import { servingFiles, verifyPackage } from '../../src/package/verify-package.ts'
import { runRequestOf } from '../../src/server/runs/run-form.ts'
import { openPrepared, type Prepared } from '../../src/training/dataset/prepared.ts'
import { int8Card, int8Summary } from '../../src/training/int8/int8-words.ts'
import { tryInt8 } from '../../src/training/int8/try-int8.ts'
import { predictAll } from '../../src/training/predict.ts'
import {
  augmentationFor,
  completeHyperparameters,
  type GivenHyperparameters,
} from '../../src/training/settings.ts'
import { trainInt8 } from '../support/training/trained-int8.ts'

const trained = await trainInt8()
after(trained.remove)
const read = (file: string) => readFile(join(trained.packageDir, file), 'utf8')

test('the package holds the graph in int8 with golden outputs, calibration and figures of its own', async () => {
  const { manifest } = await verifyPackage(trained.packageDir)
  const { model } = await readServingConfig(trained.packageDir)
  assert.deepEqual(model.int8, {
    file: 'models/tiny-cnn-quick.int8.onnx',
    golden: 'results/golden/int8.json',
  })
  const serving = servingFiles(manifest).map((file) => file.path)
  assert.ok(serving.includes('models/tiny-cnn-quick.int8.onnx'))
  assert.ok(serving.includes('results/golden/int8.json'))
  const { int8 } = manifest
  assert.equal(int8?.metrics?.testSet, manifest.metrics?.testSet)
  assert.deepEqual(
    int8?.operatingPoints.map((point) => point.name),
    manifest.operatingPoints.map((point) => point.name),
  )
  assert.ok((int8?.calibration?.temperature ?? 0) > 0)
  const bytes = async (file: string) => (await stat(join(trained.packageDir, file))).size
  const ratio = (await bytes('models/tiny-cnn-quick.int8.onnx')) / (await bytes(model.graph.file))
  assert.ok(ratio < 0.35, `int8 takes ${ratio} of the float file`)
})

test('the measured pair of figures is in the package, its summary and its card', async () => {
  const report = JSON.parse(await read('results/precision.json'))
  assert.equal(report.offered, true)
  assert.equal(report.int8.ranges.split, 'train')
  const { decidedBy, images, accuracy, probability } = report.difference
  assert.equal(images, report.int8.metrics.n)
  const { lower } = decidedBy === 'accuracy' ? accuracy : probability
  assert.ok(lower >= -0.005, `${decidedBy}: ${lower}`)
  assert.match(await read('results/SUMMARY.txt'), /Int8 +offered: accuracy on the test split/)
  assert.match(await read('README.md'), /## Precision[\s\S]*operating points of its own/)
})

test('its golden outputs are those of the int8 graph, not of the float one', async () => {
  const golden = JSON.parse(await read('results/golden/int8.json'))
  const float = JSON.parse(await read('results/golden/golden.json'))
  assert.equal(golden.items.length, float.items.length)
  const files = (all: typeof golden) => all.items.map((item: { file: string }) => item.file)
  assert.deepEqual(files(golden), files(float))
  const first = (all: typeof golden) => all.items[0].probabilities[0] as number
  assert.notEqual(first(golden), first(float))
  assert.ok(Math.abs(first(golden) - first(float)) < 0.05)
})

/** The same function in floats, and one that a single scale for all channels cannot hold. */
function stretchOneChannel(model: tf.LayersModel): void {
  const scaled = (values: tf.Tensor, factor: number, axis: number) => {
    const factors = tf.tensor1d(
      Array.from({ length: values.shape[axis] ?? 1 }, (_, k) => (k ? 1 : factor)),
    )
    return tf.mul(values, axis === 2 ? tf.reshape(factors, [1, 1, -1, 1]) : factors)
  }
  const norm = model.getLayer('conv1_bn')
  const [gamma, beta, ...statistics] = norm.getWeights() as [tf.Tensor, tf.Tensor, ...tf.Tensor[]]
  norm.setWeights([scaled(gamma, 1e5, 0), scaled(tf.add(beta, 0.1), 1e5, 0), ...statistics])
  const next = model.getLayer('conv2_conv')
  const [kernel] = next.getWeights() as [tf.Tensor]
  next.setWeights([scaled(kernel, 1e-5, 2)])
}

/** Of the float model, as the training had them. */
async function answersInFloat(prepared: Prepared) {
  const model = await loadLayersModel(join(trained.packageDir, 'models/tfjs'))
  const outputs = (split: 'calibration' | 'test') =>
    predictAll(model, { prepared, images: prepared.imagesOf(split), threads: 1, engine: 'onnx' })
  try {
    const { classes, testSet } = prepared.index
    const [calibration, test] = [await outputs('calibration'), await outputs('test')]
    return evaluate({ classes, calibration, test, testSet }).answers
  } finally {
    model.dispose()
  }
}

test('a model that eight bits ruin is refused, with the pair of figures and a word in summary and card', async () => {
  await tf.setBackend('cpu')
  const prepared = await openPrepared(trained.preparedDir)
  const model = await loadLayersModel(join(trained.packageDir, 'models/tfjs'))
  const { manifest } = await verifyPackage(trained.packageDir)
  const { model: config } = await readServingConfig(trained.packageDir)
  try {
    stretchOneChannel(model)
    const trial = await tryInt8({
      architecture: getArchitecture('tiny_cnn'),
      model,
      prepared,
      evaluation: { answers: await answersInFloat(prepared) } as Evaluation,
      job: { threads: 1 },
      hyperparameters: { explanationLayer: null },
      graph: config.graph,
    })
    assert.equal(trial.offered, false)
    assert.match(trial.reason, /more than 0\.5 points lost/)
    assert.ok(
      (trial.measured?.evaluation.metrics.accuracy ?? 1) < (manifest.metrics?.accuracy ?? 0) - 0.1,
    )
    assert.ok((trial.measured?.verdict.accuracy.upper ?? 1) < 0)
    assert.match(int8Summary(trial), /^Int8 +not offered: accuracy/)
    assert.match(int8Card(trial), /that form is not offered/)
  } finally {
    model.dispose()
    prepared.close()
  }
})

test('int8 is a setting of a run: off by default, on by the checkbox, and nothing but yes or no', () => {
  const defaults = {
    preset: 'quick',
    learningRate: 1e-3,
    imageSize: 64,
    augmentation: augmentationFor('chest'),
  } as const
  assert.equal(completeHyperparameters({}, defaults).int8, false)
  assert.equal(completeHyperparameters({ int8: true }, defaults).int8, true)
  const wrong = { int8: 'perhaps' } as unknown as GivenHyperparameters
  assert.throws(() => completeHyperparameters(wrong, defaults), /"int8" is wrong/)
  const form = (fields: Record<string, string>) => {
    const chosen = { 'dataset:a': 'on', 'architecture:tiny_cnn': 'on', 'preset:quick': 'on' }
    return runRequestOf(new Map(Object.entries({ ...chosen, ...fields }))).hyperparameters
  }
  assert.deepEqual(form({ int8: 'on' }), { int8: true })
  assert.deepEqual(form({}), {})
})

test('a package without int8 says nothing of it', () => {
  assert.equal(int8Summary(null) + int8Card(null), '')
})

test('the graph with integer kernels and without them differs by less than its golden images may', async () => {
  const { model, preprocessing } = await readServingConfig(trained.packageDir)
  const golden = JSON.parse(await read('results/golden/int8.json'))
  const bytes = await readFile(join(trained.packageDir, model.int8?.file ?? ''))
  const prepared = await openPrepared(trained.preparedDir)
  const { height, width, channels } = preprocessing
  const fused = await createSession(bytes, { threads: 1 })
  const plain = await createSession(bytes, { threads: 1, optimization: 'basic' })
  const sigmoid = (z = 0) => 1 / (1 + Math.exp(-z))
  let worst = 0
  try {
    for (const image of prepared.imagesOf('test')) {
      const data = new Float32Array(prepared.rowLength)
      prepared.read(image, data)
      const x = { input: { data, dims: [1, height, width, channels] } }
      const [a, b] = [await fused.run(x), await plain.run(x)]
      const difference = sigmoid(a.logits?.data[0]) - sigmoid(b.logits?.data[0])
      worst = Math.max(worst, Math.abs(difference))
    }
  } finally {
    await Promise.all([fused.release(), plain.release()])
    prepared.close()
  }
  assert.ok(worst < golden.tolerance, `${worst} of ${golden.tolerance}`)
})
