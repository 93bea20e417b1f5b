// ONNX files that end in averaging and one linear layer get Grad-CAM; others none; what is claimed is what the graph computes.
import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import test from 'node:test'
import { ZipFile } from 'yazl'
import { convertForeign } from '../../src/conversion/import/convert-foreign.ts'
import { convertOnnx } from '../../src/conversion/import/convert-onnx.ts'
import { parseForeignFields } from '../../src/conversion/import/foreign-fields.ts'
import { encodeModel, type OnnxNode, type OnnxTensor } from '../../src/engine/onnx/model.ts'
import { MessageWriter } from '../../src/engine/onnx/protobuf.ts'
import { uniformAt } from '../../src/engine/random/counter-random.ts'
import { createSession, type TensorValue } from '../../src/engine/session.ts'
import { isAppError } from '../../src/errors.ts'
import { replaceInitializers } from '../../src/formats/onnx/amend-graph.ts'
import { fields } from '../../src/formats/onnx/wire.ts'
import { readServingConfig } from '../../src/package/serving-config.ts'
import { verifyPackage } from '../../src/package/verify-package.ts'

const SIDE = 6
const FEATURES = 4
const CLASSES = 3

function drawn(seed: number, ...dims: number[]): OnnxTensor {
  const count = dims.reduce((a, b) => a * b, 1)
  const data = Float32Array.from({ length: count }, (_, i) => uniformAt(seed, i, 0) - 0.4)
  return { type: 'float32', dims, data }
}

const node = (op: string, inputs: string[], output: string, attributes = {}): OnnxNode => ({
  op,
  inputs,
  outputs: [output],
  attributes,
})

/** A convolution and ReLU over [1, 2, 6, 6], then these nodes from `map` to `y`. */
function graph(tail: readonly OnnxNode[], outputs = CLASSES, more = {}): Uint8Array {
  return encodeModel({
    nodes: [
      node('Conv', ['x', 'k'], 'convolved', { pads: [1, 1, 1, 1] }),
      node('Relu', ['convolved'], 'map'),
      ...tail,
    ],
    initializers: new Map<string, OnnxTensor>([
      ['k', drawn(1, FEATURES, 1, 3, 3)],
      ['w', drawn(2, CLASSES, FEATURES)],
      ['v', drawn(3, FEATURES, CLASSES)],
      ['p', drawn(4, CLASSES, FEATURES, 1, 1)],
      ['b', drawn(5, CLASSES)],
      ...Object.entries(more as Record<string, OnnxTensor>),
    ]),
    inputs: [{ name: 'x', type: 'float32', dims: [1, 1, SIDE, SIDE] }],
    outputs: [{ name: 'y', type: 'float32', dims: [1, outputs] }],
  })
}

const pooled = node('GlobalAveragePool', ['map'], 'average')
const flat = node('Flatten', ['average'], 'vector')
const gemm = node('Gemm', ['vector', 'w', 'b'], 'y', { transB: 1, alpha: { float: 1.5 } })

const LINEAR: Readonly<Record<string, readonly OnnxNode[]>> = {
  'Gemm behind GlobalAveragePool': [pooled, flat, gemm],
  'MatMul and a bias behind ReduceMean': [
    node('ReduceMean', ['map'], 'vector', { axes: [-2, -1], keepdims: 0 }),
    node('MatMul', ['vector', 'v'], 'product'),
    node('Add', ['product', 'b'], 'y'),
  ],
  'channels last': [
    node('Transpose', ['map'], 'turned', { perm: [0, 2, 3, 1] }),
    node('ReduceMean', ['turned'], 'vector', { axes: [1, 2], keepdims: 0 }),
    node('Gemm', ['vector', 'v'], 'y'),
  ],
  'a window as large as the map': [
    node('AveragePool', ['map'], 'average', { kernel_shape: [SIDE, SIDE] }),
    flat,
    gemm,
  ],
  'a convolution of 1 x 1 behind the pooling': [
    pooled,
    node('Conv', ['average', 'p', 'b'], 'scores'),
    node('Flatten', ['scores'], 'y'),
  ],
}

async function converted(t: test.TestContext, bytes: Uint8Array) {
  const dir = await mkdtemp(join(tmpdir(), 'roentgen-onnx-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const path = join(dir, 'm.onnx')
  await writeFile(path, bytes)
  return { dir, path, model: () => convertOnnx(path, { folder: dir }) }
}

for (const [name, tail] of Object.entries(LINEAR)) {
  test(`${name}: features times gradients over all places are the score, but for the bias`, async (t) => {
    const { model } = await converted(t, graph(tail))
    const { onnx, graph: ports, explanation } = await await model()
    assert.ok(explanation?.layer && ports.outputs.features && ports.outputs.gradients)
    const session = await createSession(onnx, { threads: 1 })
    const biases: number[][] = []
    for (const seed of [11, 12]) {
      const data = drawn(seed, 1, 1, SIDE, SIDE).data as Float32Array
      const given = await session.run({ x: { data, dims: [1, 1, SIDE, SIDE] } })
      const features: TensorValue | undefined = given[ports.outputs.features]
      const gradients: TensorValue | undefined = given[ports.outputs.gradients]
      assert.deepEqual(features?.dims, [1, SIDE, SIDE, FEATURES])
      assert.deepEqual(gradients?.dims, [CLASSES, 1, 1, FEATURES])
      biases.push(
        Array.from(given.y?.data ?? [], (score, k) =>
          (features?.data ?? new Float32Array()).reduce(
            (rest, value, i) =>
              rest - value * (gradients?.data[k * FEATURES + (i % FEATURES)] ?? 0),
            score,
          ),
        ),
      )
    }
    await session.release()
    for (const k of [0, 1, 2]) {
      assert.ok(Math.abs((biases[0]?.[k] ?? 1) - (biases[1]?.[k] ?? 0)) < 1e-5, `${biases}`)
    }
  })
}

test('averages that are the scores themselves explain each class by its own map', async (t) => {
  const tail = [pooled, flat, node('Softmax', ['vector'], 'y', { axis: 1 })]
  const {
    explanation,
    graph: ports,
    onnx,
  } = await (await converted(t, graph(tail, FEATURES))).model()
  assert.equal(explanation?.layer, 'map')
  assert.equal(ports.outputs.probabilities, 'y')
  const session = await createSession(onnx, { threads: 1 })
  const data = new Float32Array(SIDE * SIDE)
  const given = await session.run({ x: { data, dims: [1, 1, SIDE, SIDE] } })
  await session.release()
  const gradients = given[ports.outputs.gradients ?? ''] ?? { data: new Float32Array(), dims: [] }
  assert.deepEqual(gradients.dims, [FEATURES, 1, 1, FEATURES])
  assert.ok(Math.abs((gradients.data[0] ?? 0) - 1 / SIDE ** 2) < 1e-6)
  assert.equal(gradients.data[1], 0)
})

test('another end is not taken for a linear one', async (t) => {
  const ends: Readonly<Record<string, readonly OnnxNode[]>> = {
    'two layers': [
      pooled,
      flat,
      node('Gemm', ['vector', 'w', 'b'], 'hidden', { transB: 1 }),
      node('Relu', ['hidden'], 'bent'),
      node('Gemm', ['bent', 's'], 'y'),
    ],
    'the largest instead of the average': [node('GlobalMaxPool', ['map'], 'average'), flat, gemm],
    'a smaller window': [
      node('AveragePool', ['map'], 'small', { kernel_shape: [3, 3], strides: [3, 3] }),
      node('GlobalMaxPool', ['small'], 'average'),
      flat,
      gemm,
    ],
    'something between pooling and head': [
      pooled,
      node('Tanh', ['average'], 'bent'),
      node('Flatten', ['bent'], 'vector'),
      gemm,
    ],
  }
  for (const [name, tail] of Object.entries(ends)) {
    const more = { s: drawn(6, CLASSES, CLASSES) }
    const { explanation, graph: ports } = await (
      await converted(t, graph(tail, CLASSES, more))
    ).model()
    assert.equal(explanation, null, name)
    assert.equal(ports.outputs.features, null, name)
  }
})

/** The same model with the weights `k` at a place in another file. */
function withWeightsAt(bytes: Uint8Array, location: string, more: Record<string, string> = {}) {
  return replaceInitializers(bytes, (message) => {
    const tensor = fields(message)
    const name = tensor.find(({ number }) => number === 8)
    if (Buffer.from(name?.bytes ?? []).toString() !== 'k') return undefined
    const kept = tensor.filter(({ number }) => number !== 9).map(({ whole }) => whole)
    const external = new MessageWriter()
    for (const [key, value] of Object.entries({ location, ...more })) {
      external.message(13, new MessageWriter().text(1, key).text(2, value))
    }
    return Buffer.concat([...kept, external.int(14, 1).finish()])
  })
}

test('weights in another file are read into the one that is served', async (t) => {
  const plain = graph([pooled, flat, gemm])
  const kernel = drawn(1, FEATURES, 1, 3, 3).data
  const place = { offset: '8', length: String(kernel.byteLength) }
  const { dir, model } = await converted(t, withWeightsAt(plain, 'w.data', place))
  await writeFile(join(dir, 'w.data'), Buffer.concat([Buffer.alloc(8), Buffer.from(kernel.buffer)]))
  const { onnx, explanation } = await model()
  assert.ok(explanation)
  const session = await createSession(onnx, { threads: 1 })
  const own = await createSession(plain, { threads: 1 })
  const feed = {
    x: { data: drawn(9, 1, 1, SIDE, SIDE).data as Float32Array, dims: [1, 1, SIDE, SIDE] },
  }
  assert.deepEqual((await session.run(feed)).y?.data, (await own.run(feed)).y?.data)
  await session.release()
  await own.release()
})

test('a zip with an ONNX file and its weights becomes a package that explains itself', async (t) => {
  const { dir } = await converted(t, new Uint8Array())
  const zip = new ZipFile()
  const onnx = withWeightsAt(graph([pooled, flat, gemm]), 'w.data')
  zip.addBuffer(Buffer.from(onnx), 'model/m.onnx')
  zip.addBuffer(Buffer.from(drawn(1, FEATURES, 1, 3, 3).data.buffer), 'model/w.data')
  zip.end()
  const path = join(dir, 'm.zip')
  await writeFile(path, await buffer(zip.outputStream as NodeJS.ReadableStream))
  const said = { condition: 'x', name: 'y', classes: 'a,*b,*c', preprocessing: 'unit' }
  const folder = await convertForeign({
    kind: 'zip',
    path,
    sourceName: 'm.zip',
    fields: parseForeignFields(said),
    condition: undefined,
    stagingDir: join(dir, 'staging'),
  })
  const { manifest } = await verifyPackage(folder)
  assert.equal(manifest.lineage.importedFrom, 'onnx')
  const { model } = await readServingConfig(folder)
  assert.equal(model.explanation?.layer, 'map')
})

async function refusedWith(work: Promise<unknown>, sentence: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isAppError(error), String(error))
    assert.equal(error.code, 'invalid-package')
    assert.match(error.message, sentence)
    return true
  })
}

test('weights that are missing, short or outside of the folder are refused', async (t) => {
  const plain = graph([pooled, flat, gemm])
  const at = async (location: string, more?: Record<string, string>) =>
    converted(t, withWeightsAt(plain, location, more))
  await refusedWith((await at('w.data')).model(), /"w.data" is not there/)
  await refusedWith(convertOnnx((await at('w.data')).path), /in another file; send both/)
  for (const place of ['../w', '/etc/hosts', 'a/../../w', '', 'C:\\w']) {
    await refusedWith((await at(place)).model(), /outside of its own folder/)
  }
  const short = await at('w.data', { offset: '0', length: '144' })
  await writeFile(join(short.dir, 'w.data'), 'x')
  await refusedWith(short.model(), /too short/)
  await refusedWith((await at('w.data', { offset: '-1' })).model(), /where its weights are/)
  const linked = await at('w.data')
  await symlink('/etc/hosts', join(linked.dir, 'w.data'))
  await refusedWith(linked.model(), /is not there/)
})

test('operators of somebody else and sets that are too old are refused by name', async (t) => {
  const own = graph([pooled, flat, { ...gemm, domain: 'com.microsoft' }])
  const theirs = Buffer.from(own).toString('latin1').replaceAll('com.microsoft', 'org.somebody!')
  const foreign = await converted(t, Buffer.from(theirs, 'latin1'))
  await refusedWith(foreign.model(), /"Gemm" of "org.somebody!" is a custom operator/)
  const kept = fields(graph([pooled, flat, gemm])).filter(({ number }) => number !== 8)
  const old = new MessageWriter().message(8, new MessageWriter().text(1, '').int(2, 6)).finish()
  const older = await converted(t, Buffer.concat([...kept.map(({ whole }) => whole), old]))
  await refusedWith(older.model(), /operator set 6/)
})
