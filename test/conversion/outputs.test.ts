// What the outputs of somebody's graph are: probabilities wherever their softmax or sigmoid stands, floats of any width, one
// row among others, in the order of the condition's classes. Expected numbers come from the same graph without its tail.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { arrangeOutputs } from '../../src/conversion/import/arrange-outputs.ts'
import { convertOnnx, type OnnxOptions } from '../../src/conversion/import/convert-onnx.ts'
import { type ConvertedModel, meaningOf } from '../../src/conversion/import/converted-model.ts'
import {
  completePreprocessing,
  parseForeignFields,
} from '../../src/conversion/import/foreign-fields.ts'
import { judgeOutputs, lookOf } from '../../src/conversion/import/judge-outputs.ts'
import {
  encodeModel,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../src/engine/onnx/model.ts'
import { createSession } from '../../src/engine/session.ts'

const float = (...data: number[]) =>
  ({
    type: 'float32',
    dims: data.length === 1 ? [] : [data.length],
    data: Float32Array.from(data),
  }) as const
const int64 = (...data: number[]) =>
  ({ type: 'int64', dims: [data.length], data: BigInt64Array.from(data.map(BigInt)) }) as const

/** [1, 1, 2, 2] to three logits by MatMul, then `tail`, whose last node gives `y`. */
function graph(tail: readonly OnnxNode[], more: Partial<OnnxGraph> & { outputs3?: number } = {}) {
  const count = more.outputs3 ?? 3
  const weight: OnnxTensor = {
    type: 'float32',
    dims: [4, count],
    data: Float32Array.from({ length: 4 * count }, (_, i) => ((i * 7) % 5) - 2),
  }
  return encodeModel({
    nodes: [
      node('Flatten', ['x'], 'flat', { axis: 1 }),
      node('MatMul', ['flat', 'w'], tail.length > 0 ? 'z' : 'y'),
      ...tail,
    ],
    initializers: new Map<string, OnnxTensor>([
      ['w', weight],
      ['one', float(1)],
      ['half', float(0.5)],
      ['zero', float(0)],
      ['row', int64(1, -1)],
      ['axis', int64(1)],
    ]),
    inputs: more.inputs ?? [{ name: 'x', type: 'float32', dims: [1, 1, 2, 2] }],
    outputs: more.outputs ?? [{ name: 'y', type: 'float32', dims: [1, count] }],
  })
}

function node(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode {
  return { op, inputs, outputs: [output], attributes }
}

async function opened(t: test.TestContext, bytes: Uint8Array, options: OnnxOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'roentgen-outputs-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const path = join(dir, 'm.onnx')
  await writeFile(path, bytes)
  return convertOnnx(path, options)
}

async function judged(model: ConvertedModel, said: 'auto' | 'logits' | 'probabilities' = 'auto') {
  const preprocessing = completePreprocessing({ mode: 'unit' }, model.input)
  return judgeOutputs(model, { said, preprocessing })
}

async function outputsOf({ onnx, graph: ports, input }: ConvertedModel): Promise<number[]> {
  const session = await createSession(onnx, { threads: 1 })
  try {
    const dims = [1, input.channels, input.height, input.width]
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i / 4)
    const given = await session.run({ [ports.input.name]: { data, dims } })
    const name = ports.outputs.logits ?? ports.outputs.probabilities ?? ''
    return [...(given[name]?.data ?? [])]
  } finally {
    await session.release()
  }
}

const softmax = node('Softmax', ['z'], 'p', { axis: 1 })
const CAST = { to: 1 }

const PROBABILITIES: Readonly<Record<string, readonly OnnxNode[]>> = {
  'a Cast': [softmax, node('Cast', ['p'], 'y', CAST)],
  'an Identity': [softmax, node('Identity', ['p'], 'y')],
  'a Reshape': [softmax, node('Reshape', ['p', 'row'], 'y')],
  'a Clip': [softmax, node('Clip', ['p', 'zero', 'one'], 'y')],
  'a Flatten': [softmax, node('Flatten', ['p'], 'y', { axis: 1 })],
  'a Squeeze behind an Unsqueeze': [
    softmax,
    node('Unsqueeze', ['p', 'axis'], 'u'),
    node('Squeeze', ['u', 'axis'], 'y'),
  ],
  'a Transpose of a vector': [
    softmax,
    node('Transpose', ['p'], 't', { perm: [1, 0] }),
    node('Reshape', ['t', 'row'], 'y'),
  ],
  'a softmax written out': [
    node('Exp', ['z'], 'e'),
    node('ReduceSum', ['e', 'axis'], 's', { keepdims: 1 }),
    node('Div', ['e', 's'], 'y'),
  ],
  'a softmax written out, the largest taken away first': [
    node('ReduceMax', ['z'], 'm', { axes: [1], keepdims: 1 }),
    node('Sub', ['z', 'm'], 'd'),
    node('Exp', ['d'], 'e'),
    node('ReduceSum', ['e', 'axis'], 's', { keepdims: 1 }),
    node('Div', ['e', 's'], 'y'),
  ],
  'the exponential of a LogSoftmax': [
    node('LogSoftmax', ['z'], 'l', { axis: 1 }),
    node('Exp', ['l'], 'y'),
  ],
  'the mean of two': [
    softmax,
    node('Neg', ['z'], 'n'),
    node('Softmax', ['n'], 'q', { axis: 1 }),
    node('Add', ['p', 'q'], 's'),
    node('Mul', ['s', 'half'], 'y'),
  ],
}

for (const [title, tail] of Object.entries(PROBABILITIES)) {
  test(`probabilities are no logits behind ${title}`, async (t) => {
    const { model, judged: said } = await judged(await opened(t, graph(tail)))
    assert.equal(said.taken, 'probabilities')
    assert.equal(said.lastActivation, 'softmax')
    assert.equal(model.graph.outputs.logits, null)
    const sum = (await outputsOf(model)).reduce((a, b) => a + b, 0)
    assert.ok(Math.abs(sum - 1) < 1e-6, String(sum))
  })
}

test('several sigmoids are probabilities also where they are written out, and need not sum to one', async (t) => {
  const tail = [
    node('Neg', ['z'], 'n'),
    node('Exp', ['n'], 'e'),
    node('Add', ['e', 'one'], 'a'),
    node('Reciprocal', ['a'], 'y'),
  ]
  const { judged: said } = await judged(await opened(t, graph(tail)))
  assert.deepEqual([said.taken, said.lastActivation], ['probabilities', 'sigmoid'])
})

test('logits stay logits, also those of a LogSoftmax, and nothing is said about them', async (t) => {
  for (const tail of [[], [node('LogSoftmax', ['z'], 'y', { axis: 1 })]]) {
    const { judged: said } = await judged(await opened(t, graph(tail)))
    assert.equal(said.taken, 'logits')
    assert.equal(
      said.notes.some((note) => note.includes('look like probabilities')),
      false,
    )
  }
})

test('what was chosen is taken, said where it looks otherwise, and refused where it cannot be', async (t) => {
  const shares = await opened(t, graph([softmax, node('Identity', ['p'], 'y')]))
  const asLogits = await judged(shares, 'logits')
  assert.equal(asLogits.judged.taken, 'logits')
  assert.match(asLogits.judged.notes.join(), /sum to 1, as probabilities do.*as was chosen/)
  const logits = await opened(t, graph([]))
  await assert.rejects(judged(logits, 'probabilities'), { code: 'invalid' })
  assert.throws(() => parseForeignFields({ condition: 'a', name: 'b', outputs: 'scores' }), {
    code: 'invalid',
  })
})

test('rows look like shares, like numbers from 0 to 1, or like neither', () => {
  const looks = (a: number[], b: number[]) => lookOf([a, b])
  assert.equal(looks([0.2, 0.8], [0.5, 0.5]), 'shares')
  assert.equal(looks([0.2, 0.7], [0.5, 0.5]), 'unit')
  assert.equal(looks([0.4], [1]), 'unit')
  assert.equal(looks([0.2, 0.8], [-0.5, 1.5]), 'other')
})

test('outputs that are no scores are left out by name, whatever their place', async (t) => {
  const label = node('ArgMax', ['y'], 'label', { axis: 1 })
  const outputs = [
    { name: 'label', type: 'int64', dims: [1, 1] },
    { name: 'y', type: 'float32', dims: [1, 3] },
    { name: 'flat', type: 'float32', dims: [1, 4] },
  ] as const
  const tail = [node('Identity', ['z'], 'y'), label]
  for (const order of [outputs, outputs.toReversed()]) {
    const model = await opened(t, graph(tail, { outputs: order }), { classes: 3 })
    assert.equal(model.graph.outputs.logits, 'y')
    assert.match(model.notes?.join() ?? '', /label \(int64\), flat/)
    assert.deepEqual(await outputsOf(model), await outputsOf(await opened(t, graph([]))))
  }
  await assert.rejects(opened(t, graph(tail, { outputs })), /several rows of scores/)
})

test('images of whole numbers are rounded and cast, and a scaling that leaves none is refused', async (t) => {
  const inputs = [{ name: 'x8', type: 'uint8', dims: [1, 1, 2, 2] }] as const
  const bytes = encodeModel({
    nodes: [
      node('Cast', ['x8'], 'x', CAST),
      node('Flatten', ['x'], 'flat', { axis: 1 }),
      node('MatMul', ['flat', 'w'], 'y'),
    ],
    initializers: new Map<string, OnnxTensor>([
      ['w', { type: 'float32', dims: [4, 2], data: Float32Array.of(1, 0, 1, 0, 1, 0, 0, 1) }],
    ]),
    inputs,
    outputs: [{ name: 'y', type: 'float32', dims: [1, 2] }],
  })
  const model = await opened(t, bytes, { preprocessing: { mode: 'raw' } })
  const session = await createSession(model.onnx, { threads: 1 })
  const data = Float32Array.of(0.4, 0.6, 2.4, 254.9)
  const given = await session.run({ [model.graph.input.name]: { data, dims: [1, 1, 2, 2] } })
  await session.release()
  assert.deepEqual([...(given.y?.data ?? [])], [0 + 1 + 2, 255])
  await assert.rejects(opened(t, bytes, { preprocessing: { mode: 'unit' } }), { code: 'invalid' })
})

test('an open size is the one that is said, and is asked for where none is', async (t) => {
  const nodes = [
    node('GlobalAveragePool', ['x'], 'pooled'),
    node('Flatten', ['pooled'], 'y', { axis: 1 }),
  ]
  const bytes = encodeModel({
    nodes,
    initializers: new Map(),
    inputs: [{ name: 'x', type: 'float32', dims: [1, 3, -1, -1] }],
    outputs: [{ name: 'y', type: 'float32', dims: [1, 3] }],
  })
  const model = await opened(t, bytes, { preprocessing: { size: [6, 8] } })
  assert.deepEqual(model.input, { height: 6, width: 8, channels: 3 })
  await assert.rejects(opened(t, bytes), /open: say them in "preprocessing"/)
})

test('one unit is the probability of the class at index 1, unless another is named', async (t) => {
  const tail = [node('Sigmoid', ['z'], 'y')]
  const { model } = await judged(await opened(t, graph(tail, { outputs3: 1 })))
  const [p = 0] = await outputsOf(model)
  const known = {
    name: 'P',
    bodyPart: '',
    kind: 'binary',
    classes: [
      { label: 'NORMAL', positive: false },
      { label: 'PNEUMONIA', positive: true },
    ],
  } as const
  /** Of the positive class, as every reader of a version takes a single output. */
  const positive = async (classes: string, unitClass = '') => {
    const fields = parseForeignFields({ condition: 'p', name: 'm', classes, unitClass })
    const meaning = meaningOf(model, { fields, condition: known })
    assert.deepEqual(meaning.classes, known.classes, 'in the order of the condition')
    const arranged = arrangeOutputs(model, meaning.arrangement)
    return { unit: meaning.unitClass, p: (await outputsOf(arranged))[0] ?? 0 }
  }
  assert.deepEqual(await positive('NORMAL,PNEUMONIA'), { unit: 'PNEUMONIA', p })
  const turned = await positive('PNEUMONIA,NORMAL')
  assert.equal(turned.unit, 'NORMAL')
  assert.ok(Math.abs(turned.p - (1 - p)) < 1e-6)
  const named = await positive('PNEUMONIA,NORMAL', 'PNEUMONIA')
  assert.deepEqual(named, { unit: 'PNEUMONIA', p })
  await assert.rejects(positive('NORMAL,PNEUMONIA', 'OTHER'), { code: 'invalid' })
  await assert.rejects(positive('NORMAL,COVID'), /must have the same, in any order/)
})

test('classes in another order than the condition’s are mapped by name', async (t) => {
  const { model } = await judged(await opened(t, graph([softmax, node('Identity', ['p'], 'y')])))
  const classes = ['a', 'b', 'c'].map((label) => ({ label, positive: label === 'c' }))
  const condition = { name: 'X', bodyPart: '', kind: 'single-label', classes } as const
  const fields = parseForeignFields({ condition: 'x', name: 'm', classes: 'c,a,b' })
  const arranged = arrangeOutputs(model, meaningOf(model, { fields, condition }).arrangement)
  const [c, a, b] = await outputsOf(model)
  assert.deepEqual(await outputsOf(arranged), [a, b, c])
})
