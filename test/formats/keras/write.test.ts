// What is written for Keras comes back with the same outputs; Keras itself is asked in real-keras.test.ts.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { getArchitecture } from '../../../src/architectures/catalogue.ts'
import { buildVit } from '../../../src/architectures/vit-b-16.ts'
import { readHdf5 } from '../../../src/formats/keras/hdf5.ts'
import { loadKeras } from '../../../src/formats/keras/read/load-keras.ts'
import { describeModel } from '../../../src/formats/keras/write/describe-model.ts'
import { oldestDialect } from '../../../src/formats/keras/write/dialects.ts'
import { writeAllKeras, writeKeras } from '../../../src/formats/keras/write/write-keras.ts'

const FIXTURES = fileURLToPath(new URL('fixtures/', import.meta.url))

async function scratch(t: test.TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'roentgen-keras-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

function outputsFor(model: tf.LayersModel): number[] {
  const shape = (model.inputs[0]?.shape ?? []).map((n) => n ?? 1)
  const count = shape.reduce((a, b) => a * b, 1)
  const pixels = Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 256) / 255)
  return tf.tidy(() => [...(model.predict(tf.tensor(pixels, shape)) as tf.Tensor).dataSync()])
}

async function comesBack(t: test.TestContext, model: tf.LayersModel): Promise<void> {
  const dir = await scratch(t)
  const expected = outputsFor(model)
  for (const format of ['keras', 'h5'] as const) {
    const path = join(dir, `m.${format}`)
    await writeKeras(model, { path, format })
    const workDir = await mkdtemp(join(dir, 'work-'))
    const given = outputsFor(await loadKeras(path, { workDir }))
    for (const [i, value] of expected.entries()) {
      assert.ok(
        Math.abs(value - (given[i] ?? Number.NaN)) < 1e-6,
        `${format}: ${given} ${expected}`,
      )
    }
  }
}

test('a network of ours comes back from both files with the same outputs', async (t) => {
  for (const name of ['tiny_mobilenet', 'efficientnet_b0']) {
    const { build } = getArchitecture(name)
    const options = { height: 32, width: 32, channels: 3, outputs: 2, seed: 5 } as const
    await comesBack(t, build(options))
  }
})

test('models in models, called twice, with activations of Keras 3, come back too', async (t) => {
  for (const file of ['functional.keras', 'sequential.keras']) {
    const workDir = await scratch(t)
    await comesBack(t, await loadKeras(join(FIXTURES, file), { workDir }))
  }
})

test('the dialect of Keras 2 is used where it can say everything', async (t) => {
  const options = { height: 32, width: 32, channels: 1, outputs: 1, seed: 1 } as const
  const plain = describeModel(getArchitecture('tiny_cnn').build(options))
  assert.equal(oldestDialect(plain), 'keras2')
  const workDir = await scratch(t)
  const newer = await loadKeras(join(FIXTURES, 'functional.keras'), { workDir })
  assert.equal(oldestDialect(describeModel(newer)), 'keras3')
})

test('a vision transformer is written in layers that Keras has', async (t) => {
  const size = { patch: 8, width: 8, heads: 2, blocks: 2, mlp: 16 }
  const model = buildVit({ height: 16, width: 16, channels: 1, outputs: 2, seed: 3 }, size)
  const dir = await scratch(t)
  await writeAllKeras(model, join(dir, 'vit'))
  const { layers } = describeModel(model)
  const classes = new Set(layers.map((layer) => layer.className))
  for (const own of ['SelfAttention', 'ClassToken', 'PositionEmbedding', 'FirstTokens']) {
    assert.ok(!classes.has(own), own)
  }
  const [, tokens, width] = [1, 5, 8]
  await readHdf5(await readFile(join(dir, 'vit.weights.h5')), (file) => {
    const attention = 'layers/multi_head_attention_1'
    assert.equal(file.text(`${attention}/vars`, 'name')?.endsWith('1.self_attention'), true)
    assert.deepEqual(file.shapeOf(`${attention}/query_dense/vars/0`), [8, 2, 4])
    assert.deepEqual(file.shapeOf(`${attention}/output_dense/vars/0`), [2, 4, 8])
    assert.deepEqual(file.shapeOf('layers/einsum_dense/vars/1'), [tokens, width])
  })
})

test('a layer that Keras does not have is named, and nothing is written', async (t) => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 2, inputShape: [2], activation: 'hardSigmoid' }),
      tf.layers.thresholdedReLU({ name: 'odd' }),
    ],
  })
  const path = join(await scratch(t), 'm.keras')
  await assert.rejects(writeKeras(model, { path, format: 'keras' }), /"odd" \(ThresholdedReLU\)/)
  await assert.rejects(stat(path))
})
