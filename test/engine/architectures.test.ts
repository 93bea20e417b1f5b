// The architectures that this project trains, through the engine: scores, features, gradients of the heatmap and one training
// step as on TF.js' cpu backend. Small images keep it quick; ROENTGEN_SLOW_TESTS=1 adds the sizes that they are meant for.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { trainLastLayers } from '../../src/architectures/fine-tuning.ts'
import { buildVit } from '../../src/architectures/vit-b-16.ts'
import { predictionGraph } from '../../src/engine/prediction-graph.ts'
import { createSession } from '../../src/engine/session.ts'
import { createTrainingStep } from '../../src/engine/training-step.ts'
import { numbers, relativeError } from './compare.ts'

const CLASSES = 3
const TOLERANCE = 1e-5
/** Gradients are float32 sums over up to 121 layers; in which order they are added depends on the processor's vectors. */
const GRADIENT_TOLERANCE = 4e-5

interface Case {
  readonly name: string
  /** Pixels: small enough for the cpu backend, large enough for a map of more than one place. */
  readonly size: number
  readonly training: {
    /** The last layers that are trained besides the head: the last block. */
    readonly layers: number | 'all'
    /** Where a batch's statistics are over so few places that they blow up the last bit of every number: larger. */
    readonly size?: number
    readonly slow?: boolean
  }
}
const SMALL_VIT = { patch: 16, width: 96, heads: 3, blocks: 3, mlp: 192 }
const CASES: readonly Case[] = [
  { name: 'tiny_cnn', size: 32, training: { layers: 'all' } },
  { name: 'tiny_mobilenet', size: 32, training: { layers: 'all' } },
  { name: 'custom_cnn', size: 56, training: { layers: 'all' } },
  { name: 'mobilenet_v2_035', size: 64, training: { layers: 20, size: 96 } },
  { name: 'efficientnet_b0', size: 64, training: { layers: 20, size: 96 } },
  { name: 'efficientnet_b3', size: 75, training: { layers: 20, slow: true } },
  { name: 'densenet121', size: 64, training: { layers: 20 } },
  { name: 'resnet50', size: 64, training: { layers: 11, size: 96, slow: true } },
  { name: 'vgg16', size: 32, training: { layers: 4, slow: true } },
  { name: 'a small ViT', size: 48, training: { layers: 10 } },
]
const SLOW = process.env.ROENTGEN_SLOW_TESTS === '1' ? false : 'set ROENTGEN_SLOW_TESTS=1'

before(async () => {
  await tf.setBackend('cpu')
})

/** Ranges in which a deep network keeps its signals: outside of them it blows up the last bit of every number. */
const NORMS: Readonly<Record<string, [number, number]>> = {
  gamma: [0.3, 0.9],
  beta: [-0.3, 0.3],
  moving_mean: [-0.3, 0.3],
  moving_variance: [0.8, 1.6],
  mean: [0.4, 0.6],
  variance: [0.1, 0.3],
}

function make(name: string, size: number): tf.LayersModel {
  const options = { height: size, width: size, channels: 3, outputs: CLASSES, seed: 7 } as const
  const model =
    name === 'a small ViT' ? buildVit(options, SMALL_VIT) : getArchitecture(name).build(options)
  model.weights.forEach((weight, i) => {
    const range = NORMS[weight.originalName.split('/').at(-1) ?? '']
    if (!range) return
    const { data, dims } = numbers(weight.shape.map(Number), i + 1, range)
    weight.write(tf.tensor(data, [...dims]))
  })
  return model
}

function explainedLayer(name: string): string {
  return name === 'a small ViT'
    ? `encoder.layers.encoder_layer_${SMALL_VIT.blocks - 1}.ln_1`
    : getArchitecture(name).explanation.layer
}

/** Pixels as the architecture takes them. */
function images(name: string, dims: readonly number[]) {
  return numbers(dims, 1, name.startsWith('efficientnet') ? [0, 255] : [-1, 1])
}

async function assertPredictsAsCpu(name: string, size: number): Promise<void> {
  const model = make(name, size)
  const layer = explainedLayer(name)
  const { onnx, explanationLayer } = predictionGraph(model, {
    lastActivation: 'auto',
    explanationLayer: layer,
  })
  assert.equal(explanationLayer, layer)
  const session = await createSession(onnx, { threads: 1 })
  const input = images(name, [1, size, size, 3])
  const { logits, features, gradients } = await session.run({ input })
  const expected = onCpu(model, tf.tensor(input.data, [...input.dims]), layer)
  const near = (actual: Float32Array | undefined, wanted: Float32Array, what: string) => {
    const error = relativeError(actual ?? [], wanted)
    assert.ok(error <= TOLERANCE, `${what} of ${name} differ by ${error}`)
  }
  near(logits?.data, expected.logits, 'the logits')
  near(features?.data, expected.features, 'the features')
  assert.equal(features?.dims.length, 4)
  assert.equal(gradients?.dims[0], CLASSES)
  assert.equal(gradients?.dims[3], features?.dims[3])
  await session.release()
  model.dispose()
}

/** Without the class token, as a heatmap has it. */
function placesOf(map: tf.Tensor): tf.Tensor {
  return map.rank === 3 ? tf.slice(map, [0, 1, 0]) : map
}

function onCpu(model: tf.LayersModel, x: tf.Tensor, layer: string) {
  const output = model.getLayer(layer).output as tf.SymbolicTensor
  const both = tf.model({ inputs: model.inputs, outputs: [...model.outputs, output] })
  return tf.tidy(() => {
    const [logits, map] = both.predict(x) as [tf.Tensor, tf.Tensor]
    return {
      logits: logits.dataSync() as Float32Array,
      features: placesOf(map).dataSync() as Float32Array,
      map: tf.keep(map),
    }
  })
}

/** d logit_k / d map for each class k, one after the other, where nothing is linear enough for a closed form. */
function gradientsOnCpu(
  model: tf.LayersModel,
  x: tf.Tensor,
  { layer, map }: { layer: string; map: tf.Tensor },
): tf.Tensor {
  const explained = model.getLayer(layer)
  const logit = (k: number) => (given: tf.Tensor) => {
    explained.call = () => tf.clone(given)
    return tf.sum(tf.slice(model.apply(x) as tf.Tensor, [0, k], [1, 1]))
  }
  try {
    return tf.tidy(() =>
      tf.concat(Array.from({ length: CLASSES }, (_, k) => placesOf(tf.grad(logit(k))(map)))),
    )
  } finally {
    Reflect.deleteProperty(explained, 'call')
  }
}

for (const name of ['a small ViT', 'vgg16']) {
  test(`the heatmap gradients of ${name} are those of the cpu backend for every class`, async () => {
    const model = make(name, 48)
    const layer = explainedLayer(name)
    const { onnx } = predictionGraph(model, { lastActivation: 'auto', explanationLayer: layer })
    const session = await createSession(onnx, { threads: 1 })
    const input = images(name, [1, 48, 48, 3])
    const { gradients } = await session.run({ input })
    const x = tf.tensor(input.data, [...input.dims])
    const { map } = onCpu(model, x, layer)
    const expected = gradientsOnCpu(model, x, { layer, map })
    assert.equal(gradients?.dims[1], 3)
    const error = relativeError(gradients?.data ?? [], expected.dataSync())
    assert.ok(error <= TOLERANCE, `they differ by ${error}`)
    await session.release()
    model.dispose()
  })
}

test('a transformer is explained before its last attention when no layer is named', () => {
  const { explanationLayer, explanationReason } = predictionGraph(make('a small ViT', 48), {
    lastActivation: 'auto',
  })
  assert.equal(explanationLayer, explainedLayer('a small ViT'))
  assert.match(explanationReason, /3 x 3, 96 features/)
})

for (const { name, size, training } of CASES) {
  test(`${name}, batch-norm statistics random, has cpu's logits and features where it is explained`, async () => {
    await assertPredictsAsCpu(name, size)
  })

  const skip = training.slow ? SLOW : false
  test(`${name}, dropout aside, has cpu's loss and gradients in training`, { skip }, async () => {
    const side = training.size ?? size
    const model = make(name, side)
    trainLastLayers(model, training.layers)
    for (const layer of model.layers.filter((one) => one.getClassName() === 'Dropout')) {
      Object.assign(layer, { rate: 0 })
    }
    const x = images(name, [2, side, side, 3])
    const y = Float32Array.of(0, 1, 0, 1, 0, 0)
    const step = await createTrainingStep({
      model,
      kind: 'single-label',
      batchSize: 2,
      optimizer: { name: 'sgd', momentum: 0.9 },
      threads: 1,
    })
    const batch = {
      x: x.data,
      y,
      sampleWeights: Float32Array.of(1, 1),
      learningRate: 0,
      dropoutSeed: 1,
    }
    const { loss } = await step.run(batch)
    const variables = model.trainableWeights.map(
      (weight) => (weight as unknown as { val: tf.Variable }).val,
    )
    const { value, grads } = tf.variableGrads(() => {
      const given = tf.tensor(x.data, [...x.dims])
      const logits = withFrozenNorms(model, () => model.apply(given, { training: true }))
      return tf.losses.softmaxCrossEntropy(tf.tensor(y, [2, CLASSES]), logits) as tf.Scalar
    }, variables)
    const flat = variables.map((one) => tf.reshape(grads[one.name] ?? tf.zerosLike(one), [-1]))
    const expected = tf.concat1d(flat as tf.Tensor1D[]).dataSync()
    // With momentum the first step's slot is the gradient itself.
    const error = relativeError(step.optimizerState().slots.momentum ?? [], expected)
    assert.ok(relativeError([loss], value.dataSync()) <= TOLERANCE)
    assert.ok(error <= GRADIENT_TOLERANCE, `the gradients of ${name} differ by ${error}`)
    await step.close()
    model.dispose()
  })
}

/** TF.js' frozen batch normalisation still goes by the batch; Keras' and the engine's by the moving averages. */
function withFrozenNorms(
  model: tf.LayersModel,
  use: () => tf.SymbolicTensor | tf.Tensor | unknown,
): tf.Tensor {
  const frozen = model.layers.filter(
    (layer) => !layer.trainable && layer.getClassName() === 'BatchNormalization',
  )
  for (const layer of frozen) {
    const call = layer.call.bind(layer)
    layer.call = (inputs, options) => call(inputs, { ...options, training: false })
  }
  try {
    return use() as tf.Tensor
  } finally {
    for (const layer of frozen) Reflect.deleteProperty(layer, 'call')
  }
}

for (const name of [...CASES.map((one) => one.name), 'vit_b_16']) {
  if (name === 'a small ViT') continue
  const { inputSize } = getArchitecture(name)
  test(`${name} has cpu's logits and features at ${inputSize} px`, { skip: SLOW }, () =>
    assertPredictsAsCpu(name, inputSize),
  )
}
