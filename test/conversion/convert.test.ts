// From small foreign models to packages: what the outputs come to mean, and what is refused.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { convertForeign } from '../../src/conversion/import/convert-foreign.ts'
import { convertOnnx } from '../../src/conversion/import/convert-onnx.ts'
import { parseForeignFields } from '../../src/conversion/import/foreign-fields.ts'
import type { ImportJob } from '../../src/conversion/import/import-job.ts'
import { saveLayersModel } from '../../src/engine/layers-save.ts'
import { encodeModel, type OnnxTensor } from '../../src/engine/onnx/model.ts'
import { readModel } from '../../src/formats/onnx/model-proto.ts'
import { readServingConfig } from '../../src/package/serving-config.ts'
import { verifyPackage } from '../../src/package/verify-package.ts'
import { channelsFirst, channelsLast } from '../support/graph-model.ts'

const KNOWN = {
  name: 'Pneumonia',
  bodyPart: 'chest',
  kind: 'binary',
  classes: [
    { label: 'NORMAL', positive: false },
    { label: 'PNEUMONIA', positive: true },
  ],
} as const

async function scratch(t: test.TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'roentgen-import-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function convert(
  dir: string,
  o: {
    kind: ImportJob['kind']
    path: string
    fields?: Record<string, string>
    condition?: typeof KNOWN
  },
): Promise<string> {
  const stagingDir = await mkdtemp(join(dir, 'staging-'))
  const fields = parseForeignFields({
    condition: 'pneumonia',
    name: 'foreign',
    preprocessing: 'unit',
    ...o.fields,
  })
  const { kind, path, condition } = o
  return convertForeign({ kind, path, fields, condition, sourceName: '../a\\b.zip', stagingDir })
}

/** Convolution, pooling, dense head, in TF.js. */
async function tfjsModel(
  dir: string,
  head: { units: number; activation: 'sigmoid' | 'softmax' },
): Promise<string> {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 3, kernelSize: 3, activation: 'relu' }),
      tf.layers.globalAveragePooling2d({}),
      tf.layers.dense(head),
    ],
  })
  const folder = await mkdtemp(join(dir, 'tfjs-'))
  await saveLayersModel(model, folder)
  return folder
}

/** A linear layer over a 2 x 2 image: [1, 2, 2, 1] or [1, 1, 2, 2] to [1, outputs]. */
async function onnxModel(
  dir: string,
  o: { dims: number[]; outputs: number; last?: string },
): Promise<string> {
  const weight: OnnxTensor = {
    type: 'float32',
    dims: [4, o.outputs],
    data: Float32Array.from({ length: 4 * o.outputs }, (_, i) => (i % 5) - 2),
  }
  const last = o.last ? [{ op: o.last, inputs: ['product'], outputs: ['y'], attributes: {} }] : []
  const nodes = [
    { op: 'Flatten', inputs: ['x'], outputs: ['flat'], attributes: { axis: 1 } },
    { op: 'MatMul', inputs: ['flat', 'w'], outputs: [o.last ? 'product' : 'y'], attributes: {} },
    ...last,
  ]
  const bytes = encodeModel({
    nodes,
    initializers: new Map([['w', weight]]),
    inputs: [{ name: 'x', type: 'float32', dims: o.dims }],
    outputs: [{ name: 'y', type: 'float32', dims: [1, o.outputs] }],
  })
  const path = join(await mkdtemp(join(dir, 'onnx-')), 'm.onnx')
  await writeFile(path, bytes)
  return path
}

test('a TF.js model with one sigmoid becomes a binary package that verifies and explains itself', async (t) => {
  const dir = await scratch(t)
  const path = await tfjsModel(dir, { units: 1, activation: 'sigmoid' })
  const folder = await convert(dir, { kind: 'tfjs-folder', path, condition: KNOWN })
  const { manifest } = await verifyPackage(folder)
  assert.equal(manifest.kind, 'binary')
  assert.deepEqual(manifest.classes, KNOWN.classes)
  assert.equal(manifest.metrics, null)
  assert.equal(manifest.lineage.source, 'b.zip', 'the name that was sent, without its folders')
  const { model, preprocessing, golden } = await readServingConfig(folder)
  assert.deepEqual([preprocessing.width, preprocessing.height, preprocessing.channels], [8, 8, 1])
  assert.ok(model.graph.outputs.gradients && model.explanation?.layer)
  assert.equal(golden?.items.length, 3)
  assert.ok(manifest.files.some((file) => file.path === 'models/tfjs/model.json'))
})

test('kind and classes come from the model where the condition is new', async (t) => {
  const dir = await scratch(t)
  const softmax = await tfjsModel(dir, { units: 3, activation: 'softmax' })
  const sigmoids = await tfjsModel(dir, { units: 3, activation: 'sigmoid' })
  const fields = { classes: 'a,*b,*c' }
  const single = await readServingConfig(
    await convert(dir, { kind: 'tfjs-folder', path: softmax, fields }),
  )
  assert.equal(single.model.kind, 'single-label')
  const multi = await readServingConfig(
    await convert(dir, { kind: 'tfjs-folder', path: sigmoids, fields }),
  )
  assert.equal(multi.model.kind, 'multi-label')
})

test('labels, counts and kinds that do not fit are refused in one sentence', async (t) => {
  const dir = await scratch(t)
  const path = await tfjsModel(dir, { units: 3, activation: 'softmax' })
  const kind = 'tfjs-folder'
  await assert.rejects(convert(dir, { kind, path }), /Name the 3 classes/)
  await assert.rejects(convert(dir, { kind, path, fields: { classes: 'a,b' } }), /gives 3 numbers/)
  await assert.rejects(convert(dir, { kind, path, condition: KNOWN }), /gives 3 numbers/)
  const fields = { classes: 'HEALTHY,*ILL' }
  const one = await tfjsModel(dir, { units: 1, activation: 'sigmoid' })
  await assert.rejects(
    convert(dir, { kind, path: one, condition: KNOWN, fields }),
    /classes are NORMAL, PNEUMONIA/,
  )
})

test('an ONNX file keeps its bytes; its layout and its last operator say how it is served', async (t) => {
  const dir = await scratch(t)
  const logits = await onnxModel(dir, { dims: [1, 2, 2, 1], outputs: 2 })
  const first = await readServingConfig(
    await convert(dir, { kind: 'onnx', path: logits, condition: KNOWN }),
  )
  assert.equal(first.model.graph.input.layout, 'nhwc')
  assert.equal(first.model.graph.outputs.logits, 'y')
  const softmax = await onnxModel(dir, { dims: [1, 1, 2, 2], outputs: 3, last: 'Softmax' })
  const second = await readServingConfig(
    await convert(dir, { kind: 'onnx', path: softmax, fields: { classes: 'a,b,*c' } }),
  )
  assert.equal(second.model.graph.input.layout, 'nchw')
  assert.equal(second.model.graph.outputs.probabilities, 'y')
  for (const item of second.golden?.items ?? []) {
    const sum = item.probabilities.reduce((total, p) => total + p, 0)
    assert.ok(Math.abs(sum - 1) < 1e-5)
  }
})

test('an ONNX file that is cut anywhere is refused and never read past its end', async (t) => {
  const dir = await scratch(t)
  const bytes = await readFile(await onnxModel(dir, { dims: [1, 2, 2, 1], outputs: 2 }))
  const { inputs, outputs, makers } = readModel(bytes)
  assert.deepEqual(
    [inputs[0]?.dims, outputs[0]?.dims, makers.get('y')?.op],
    [[1, 2, 2, 1], [1, 2], 'MatMul'],
  )
  for (let end = 0; end < bytes.length; end += 3) {
    // What is left may by chance be whole; it is then read, or refused as invalid. Nothing else may happen.
    const path = join(dir, 'cut.onnx')
    await writeFile(path, bytes.subarray(0, end))
    await convertOnnx(path).catch((error: unknown) => {
      assert.equal((error as { code?: string }).code, 'invalid-package')
    })
  }
})

test('a model that takes no image is refused', async (t) => {
  const dir = await scratch(t)
  const flat = await onnxModel(dir, { dims: [1, 4], outputs: 2 })
  await assert.rejects(convert(dir, { kind: 'onnx', path: flat, condition: KNOWN }), /four axes/)
})

test('a TF.js graph model becomes a package with its logits and heatmaps, whatever its layout', async (t) => {
  const dir = await scratch(t)
  for (const make of [channelsLast, channelsFirst]) {
    const path = await make().write(dir)
    const classes = make === channelsLast ? 'A,*B,*C' : '*A,*B,*C,*D'
    const fields = { condition: 'graph', classes }
    const folder = await convert(dir, { kind: 'tfjs-folder', path, fields })
    const { model } = await readServingConfig(folder)
    assert.equal(model.architecture, 'tfjs-graph')
    assert.equal(model.kind, make === channelsLast ? 'single-label' : 'multi-label')
    assert.equal(model.explanation?.layer, make === channelsLast ? 'conv2' : 'relu')
    assert.ok(model.graph.outputs.logits && model.graph.outputs.gradients)
    const { manifest } = await verifyPackage(folder)
    const paths = manifest.files.map((file) => file.path)
    assert.ok(paths.includes('models/tfjs/model.json') && paths.includes('models/tfjs/weights.bin'))
  }
})
