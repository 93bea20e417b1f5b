// Predictions in eight bits: the same outputs under the same names, nearly the same numbers, and integers where it says so.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { encodeModel, type OnnxGraph } from '../../../src/engine/onnx/model.ts'
import { predictionTrace } from '../../../src/engine/prediction-graph.ts'
import { foldConstants } from '../../../src/engine/quantisation/fold-constants.ts'
import { isQuantised } from '../../../src/engine/quantisation/overflow-probe.ts'
import { planQuantisation } from '../../../src/engine/quantisation/plan.ts'
import { quantiseGraph } from '../../../src/engine/quantisation/quantise-graph.ts'
import { quantisePrediction } from '../../../src/engine/quantisation/quantise-prediction.ts'
import { createSession, sumsOverflow } from '../../../src/engine/session.ts'
import { numbers, relativeError } from '../compare.ts'
import { separableNet, tinyNet } from '../nets.ts'

before(async () => {
  await tf.setBackend('cpu')
})

const NETS = [
  { name: 'a plain net', make: () => tinyNet({ channels: 3, classes: 3 }) },
  { name: 'a net with a residual, swish and two dense layers', make: () => separableNet() },
] as const
const DIMS = [1, 16, 16, 3] as const

const images = (count: number, from = 1) =>
  Array.from({ length: count }, (_, i) => numbers(DIMS, from + i).data)

async function outputsOf(bytes: Uint8Array, data: Float32Array, optimization?: 'basic') {
  const session = await createSession(bytes, {
    threads: 1,
    ...(optimization && { optimization }),
  })
  try {
    return await session.run({ input: { data, dims: DIMS } })
  } finally {
    await session.release()
  }
}

const operators = ({ nodes }: OnnxGraph) => nodes.map((node) => node.op)

for (const { name, make } of NETS) {
  test(`${name} folds to fewer nodes and gives the same numbers to rounding`, async () => {
    const { nodes } = predictionTrace(make(), { lastActivation: 'auto' })
    const folded = foldConstants(nodes)
    assert.ok(operators(nodes).includes('BatchNormalization'))
    assert.ok(!operators(folded).includes('BatchNormalization'))
    assert.ok(!operators(folded).includes('Pad'), 'padding is done by the convolutions')
    const [image = new Float32Array()] = images(1)
    const before = await outputsOf(encodeModel(nodes), image)
    const after = await outputsOf(encodeModel(folded), image)
    assert.deepEqual(Object.keys(after), Object.keys(before))
    for (const [output, { data }] of Object.entries(before)) {
      const error = relativeError(after[output]?.data ?? [], data)
      assert.ok(error < 1e-5, `${output} differs by ${error}`)
    }
  })

  test(`${name} in eight bits gives scores, features and gradients within 5 % of float32`, async () => {
    const { nodes } = predictionTrace(make(), { lastActivation: 'auto' })
    const quantised = await quantisePrediction({ nodes, images: images(8), threads: 1 })
    assert.ok(quantised && quantised.operators >= 2)
    const { differences, rule } = quantised
    assert.equal(differences[rule], Math.min(differences.widest, differences.average))
    const [image = new Float32Array()] = images(1, 100)
    const float = await outputsOf(encodeModel(nodes), image)
    const integer = await outputsOf(quantised.onnx, image)
    assert.deepEqual(Object.keys(integer).sort(), Object.keys(float).sort())
    for (const [output, { data, dims }] of Object.entries(float)) {
      assert.deepEqual(integer[output]?.dims, dims)
      const error = relativeError(integer[output]?.data ?? [], data)
      assert.ok(error < 0.05, `${output} differs by ${error}`)
      if (output === 'logits') assert.ok(error > 0, 'it must not be the float graph')
    }
  })

  test(`${name} gives the same with integer kernels as without them`, async () => {
    const { nodes } = predictionTrace(make(), { lastActivation: 'auto' })
    const quantised = await quantisePrediction({ nodes, images: images(8), threads: 1 })
    const [image = new Float32Array()] = images(1, 100)
    const fused = await outputsOf(quantised?.onnx ?? new Uint8Array(), image)
    const plain = await outputsOf(quantised?.onnx ?? new Uint8Array(), image, 'basic')
    const error = relativeError(fused.logits?.data ?? [], plain.logits?.data ?? [])
    assert.ok(error < 0.02, `differs by ${error}`)
  })
}

test('every weight but those of the last layer is stored as int8 with one scale for each channel', () => {
  const folded = foldConstants(predictionTrace(tinyNet(), { lastActivation: 'auto' }).nodes)
  const plan = planQuantisation(folded)
  const ranges = new Map(plan.values.map((name) => [name, { min: -1, max: 1 }]))
  const { nodes, initializers } = quantiseGraph(folded, { plan, ranges })
  const convolutions = nodes.filter((node) => node.op === 'Conv')
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((one) => [one, node] as const)))
  assert.equal(convolutions.length, 2)
  for (const { inputs } of convolutions) {
    const [, weights, bias] = inputs.map((one) => makers.get(one))
    const [stored, scale] = (weights?.inputs ?? []).map((one) => initializers.get(one))
    assert.equal(weights?.op, 'DequantizeLinear')
    assert.equal(stored?.type, 'int8')
    assert.deepEqual(scale?.dims, [stored?.dims[0]])
    assert.equal(initializers.get(bias?.inputs[0] ?? '')?.type, 'int32')
  }
  const head = nodes.find((node) => node.op === 'Gemm')
  assert.equal(initializers.get(head?.inputs[1] ?? '')?.type, 'float32')
})

test('a graph without anything to round has no form in eight bits', async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [16, 16, 3] }),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  })
  const { nodes } = predictionTrace(model, { lastActivation: 'auto' })
  assert.equal(await quantisePrediction({ nodes, images: images(2), threads: 1 }), undefined)
})

test('a value whose range was not measured is an error, not a guess', () => {
  const folded = foldConstants(predictionTrace(tinyNet(), { lastActivation: 'auto' }).nodes)
  const plan = planQuantisation(folded)
  assert.throws(() => quantiseGraph(folded, { plan, ranges: new Map() }), /no range was measured/)
})

test('a processor is told to sum slowly only where its fast sums overflow', async (t) => {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const flags = /^flags\s*:(.*)$/m.exec(text)?.[1]?.split(' ') ?? []
  if (process.arch !== 'x64' || !flags.includes('avx2')) {
    // What is expected is read from the processor's own list, which only Linux on x64 shows in this way.
    return t.skip('skipped: the instructions of this processor are not known')
  }
  const hasExactSums = flags.some((flag) => /^avx(512)?_vnni$/.test(flag))
  assert.equal(await sumsOverflow(), !hasExactSums)
})

test('a quantised file is told from a float one', async () => {
  const { nodes } = predictionTrace(tinyNet({ channels: 3 }), { lastActivation: 'auto' })
  const quantised = await quantisePrediction({ nodes, images: images(2), threads: 1 })
  assert.equal(isQuantised(encodeModel(nodes)), false)
  assert.equal(isQuantised(quantised?.onnx ?? new Uint8Array()), true)
})

const CHECK = `
import sys, numpy, onnx, onnxruntime
onnx.checker.check_model(sys.argv[1], full_check=True)
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
port = session.get_inputs()[0]
x = numpy.fromfile(sys.argv[2], numpy.float32).reshape(port.shape)
print(*session.run(["logits"], {port.name: x})[0][0])
`

test("Python's ONNX checker accepts the file, and its ONNX Runtime computes the same", async (t) => {
  const python = process.env.PYTHON ?? 'python3'
  try {
    execFileSync(python, ['-c', 'import onnx, onnxruntime'], { stdio: 'ignore' })
  } catch {
    return t.skip('skipped: no Python with onnx and onnxruntime (name one with PYTHON)')
  }
  const folder = await mkdtemp(join(tmpdir(), 'roentgen-int8-'))
  t.after(() => rm(folder, { recursive: true }))
  const { nodes } = predictionTrace(separableNet(), { lastActivation: 'auto' })
  const { onnx } = (await quantisePrediction({ nodes, images: images(8), threads: 1 })) ?? {}
  assert.ok(onnx)
  const [image = new Float32Array()] = images(1, 100)
  const [model, input] = [join(folder, 'model.onnx'), join(folder, 'input.bin')]
  await writeFile(model, onnx)
  await writeFile(input, new Uint8Array(image.buffer))
  const said = execFileSync(python, ['-c', CHECK, model, input], { encoding: 'utf8' })
  const ours = (await outputsOf(onnx, image)).logits?.data ?? []
  assert.ok(relativeError(said.trim().split(' ').map(Number), ours) < 0.01, said)
})
