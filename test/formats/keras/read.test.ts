// Files that Keras itself wrote (scripts/keras-fixtures.py) give here what Keras gave; what cannot be read is named.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { ZipFile } from 'yazl'
import { isAppError } from '../../../src/errors.ts'
import { snakeCase } from '../../../src/formats/keras/class-names.ts'
import { writeHdf5 } from '../../../src/formats/keras/hdf5-write.ts'
import { loadKeras } from '../../../src/formats/keras/read/load-keras.ts'

const FIXTURES = fileURLToPath(new URL('fixtures/', import.meta.url))

async function load(t: test.TestContext, file: string | Uint8Array): Promise<tf.LayersModel> {
  const workDir = await mkdtemp(join(tmpdir(), 'roentgen-keras-'))
  t.after(() => rm(workDir, { recursive: true, force: true }))
  if (typeof file === 'string') return loadKeras(join(FIXTURES, file), { workDir })
  const path = join(workDir, 'model')
  await writeFile(path, file)
  return loadKeras(path, { workDir })
}

/** The image of scripts/keras-fixtures.py. */
function outputsFor(model: tf.LayersModel, shape: readonly number[]): number[] {
  const count = shape.reduce((a, b) => a * b, 1)
  const pixels = Float32Array.from({ length: count }, (_, i) => (i * 7919) % 256)
  return tf.tidy(() => [
    ...(model.predict(tf.tensor(pixels, [1, ...shape])) as tf.Tensor).dataSync(),
  ])
}

interface Recorded {
  readonly shape: readonly number[]
  readonly output: readonly number[]
}

const recorded = JSON.parse(await readFile(join(FIXTURES, 'expected.json'), 'utf8')) as Record<
  string,
  Recorded
>

for (const [file, { shape, output }] of Object.entries(recorded)) {
  test(`${file} gives what Keras gave for it`, async (t) => {
    const given = outputsFor(await load(t, file), shape)
    assert.equal(given.length, output.length)
    for (const [i, value] of output.entries()) {
      assert.ok(Math.abs(value - (given[i] ?? Number.NaN)) < 1e-6, `${given[i]} for ${value}`)
    }
  })
}

async function refusedWith(t: test.TestContext, file: string | Uint8Array, sentence: RegExp) {
  await assert.rejects(load(t, file), (error) => {
    assert.ok(isAppError(error), String(error))
    assert.equal(error.code, 'invalid-package')
    assert.match(error.message, sentence)
    return true
  })
}

test('a Lambda layer is refused, and a layer that is not known is named', async (t) => {
  await refusedWith(t, 'lambda.keras', /holds code in its layer "lambda" \(Lambda\)/)
  const config = { name: 'bins', bin_boundaries: [0, 1] }
  const bins = { class_name: 'Discretization', module: 'keras.layers', config }
  const image = { class_name: 'InputLayer', config: { batch_shape: [null, 2, 2, 1], name: 'i' } }
  const model = { class_name: 'Sequential', config: { name: 's', layers: [image, bins] } }
  await refusedWith(t, await kerasZip(model), /"bins" \(Discretization\)/)
})

const dense = (config: object): object => ({ class_name: 'Dense', config })
const sequential = (...layers: object[]): object => ({
  class_name: 'Sequential',
  config: { name: 's', layers },
})
const input = { class_name: 'InputLayer', config: { batch_shape: [null, 2], name: 'i' } }
const one = dense({ name: 'd', units: 1, use_bias: false })

/** A `.keras` file around a configuration, with these weights. */
async function kerasZip(
  config: unknown,
  weights: Readonly<Record<string, readonly number[]>> = {},
  more: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const h5 = await writeHdf5((file) => {
    file.group('layers')
    for (const [path, shape] of Object.entries(weights)) {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1)
      file.tensor(path, { shape, values })
    }
  })
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from(h5), 'model.weights.h5', { compress: false })
  const files = { 'config.json': JSON.stringify(config), 'metadata.json': '{}', ...more }
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name)
  zip.end()
  return buffer(zip.outputStream as NodeJS.ReadableStream)
}

test('weights that are missing, of another shape or too many are refused by the name of the layer', async (t) => {
  const model = sequential(input, one)
  const at = 'layers/dense/vars/0'
  assert.deepEqual(outputsFor(await load(t, await kerasZip(model, { [at]: [2, 1] })), [2]), [239])
  await refusedWith(t, await kerasZip(model), /without its weights/)
  const elsewhere = await kerasZip(model, { 'layers/input_layer/vars/0': [1] })
  await refusedWith(t, elsewhere, /holds no weights for the layer "d"/)
  await refusedWith(t, await kerasZip(model, { [at]: [1, 2] }), /shape \[1, 2\].*needs \[2, 1\]/)
  const two = await kerasZip(model, { [at]: [2, 1], 'layers/dense/vars/1': [1] })
  await refusedWith(t, two, /"d" needs 1 weights, but the file holds 2/)
})

test('a configuration cannot ask for more memory than the file has weights', async (t) => {
  const huge = sequential(input, dense({ name: 'd', units: 2 ** 40 }))
  await refusedWith(t, await kerasZip(huge, { 'layers/dense/vars/0': [2, 1] }), /more weights than/)
  const many = sequential(input, ...Array.from({ length: 6000 }, () => one))
  await refusedWith(t, await kerasZip(many), /more than 5000 layers/)
  const deep = Array.from({ length: 20 }).reduce<object>((inner) => sequential(inner), one)
  await refusedWith(t, await kerasZip(deep), /too deeply/)
})

test('settings that TF.js would pass over in silence are refused', async (t) => {
  const layer = (class_name: string, config: object) =>
    kerasZip(sequential(input, { class_name, config: { name: 'x', ...config } }))
  await refusedWith(t, await layer('Conv2DTranspose', { output_padding: 1 }), /output_padding 1/)
  await refusedWith(t, await layer('Conv2D', { data_format: 'channels_first' }), /channels first/)
  await refusedWith(t, await layer('BatchNormalization', { axis: [1, 2] }), /several axes/)
  await refusedWith(t, await layer('UpSampling2D', { interpolation: 'bicubic' }), /bicubic/)
  await refusedWith(t, await layer('Dense', { activation: 'constructor' }), /"constructor"/)
  await refusedWith(t, await layer('constructor', {}), /"x" \(constructor\)/)
})

test('layers that wait for one that never comes, or for each other, are refused', async (t) => {
  const waiting = (from: string) => ({
    class_name: 'Functional',
    config: {
      layers: [
        { ...input, name: 'i', inbound_nodes: [] },
        { ...one, name: 'd', inbound_nodes: [[[from, 0, 0, {}]]] },
      ],
      input_layers: [['i', 0, 0]],
      output_layers: [['d', 0, 0]],
    },
  })
  const weights = { 'layers/dense/vars/0': [2, 1] }
  assert.deepEqual(outputsFor(await load(t, await kerasZip(waiting('i'), weights)), [2]), [239])
  await refusedWith(t, await kerasZip(waiting('nobody'), weights), /"d" waits for a layer/)
  await refusedWith(t, await kerasZip(waiting('d'), weights), /"d" waits for a layer/)
})

test('a class of somebody else is refused even when it has the name of a layer of Keras', async (t) => {
  const own = { ...one, registered_name: 'their_package>Dense' }
  await refusedWith(t, await kerasZip(sequential(input, own)), /custom code/)
  const model = { ...sequential(input, one), module: 'os' }
  await refusedWith(t, await kerasZip(model), /custom code/)
  await refusedWith(t, await kerasZip({ class_name: 'MyModel', config: {} }), /"MyModel"/)
})

test('what is no Keras model is told so in one sentence', async (t) => {
  const other = await writeHdf5((file) =>
    file.tensor('stars', { shape: [1], values: new Float32Array(1) }),
  )
  await refusedWith(t, other, /holds no Keras model/)
  const weights = await writeHdf5((file) => file.group('layers/dense/vars'))
  await refusedWith(t, weights, /weights without the model/)
  const notJson = await writeHdf5((file) => file.text('', 'model_config', '{'))
  await refusedWith(t, notJson, /not valid JSON/)
  for (const config of [null, [], 7, {}, { class_name: 'Functional', config: 'x' }]) {
    await refusedWith(t, await kerasZip(config), /./)
  }
  const joined = {
    class_name: 'Functional',
    config: { layers: [{ ...one, inbound_nodes: [[[7]]] }] },
  }
  await refusedWith(t, await kerasZip(joined), /how its layers are joined/)
})

test('a zip that is cut off, or leads out of its folder, is refused', async (t) => {
  const whole = await kerasZip(sequential(input, one), { 'layers/dense/vars/0': [2, 1] })
  for (const part of [0.2, 0.6, 0.95]) {
    await refusedWith(t, whole.subarray(0, Math.floor(part * whole.length)), /zip|damaged/)
  }
  const text = whole.toString('latin1').replaceAll('metadata.json', '../adata.json')
  await refusedWith(t, Buffer.from(text, 'latin1'), /outside|damaged/)
  const sharded = await kerasZip({}, {}, { 'model.weights.json': '{}' })
  const renamed = sharded.toString('latin1').replaceAll('model.weights.h5', 'model.weights.xx')
  await refusedWith(t, Buffer.from(renamed, 'latin1'), /several parts/)
})

test('class names become the names of groups by the rule of Keras', () => {
  const names = ['Conv2D', 'ReLU', 'GlobalAveragePooling2D', 'BatchNormalization', 'PReLU']
  assert.deepEqual(names.map(snakeCase), [
    'conv2d',
    're_lu',
    'global_average_pooling2d',
    'batch_normalization',
    'p_re_lu',
  ])
})
