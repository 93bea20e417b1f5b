// The architectures that this project trains, through the engine: scores, heatmap layer and one training step as on cpu.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { predictionGraph } from '../../src/engine/prediction-graph.ts'
import { createSession } from '../../src/engine/session.ts'
import { createTrainingStep } from '../../src/engine/training-step.ts'
import { ARCHITECTURES } from '../../src/training/architectures/catalogue.ts'
import { numbers, relativeError } from './compare.ts'
import { randomiseWeights } from './nets.ts'

const CLASSES = 3

before(async () => {
  await tf.setBackend('cpu')
})

for (const { name, build, explanation, inputSize } of ARCHITECTURES) {
  /** Small enough for the cpu backend, large enough for a map of more than one place. */
  const size = Math.max(32, inputSize / 4)

  const make = () => {
    const model = build({ height: size, width: size, channels: 3, outputs: CLASSES, seed: 7 })
    randomiseWeights(model, { normsOnly: true })
    return model
  }

  test(`${name}, batch-norm statistics random, has cpu's logits and features where it is explained`, async () => {
    const model = make()
    const { onnx, explanationLayer } = predictionGraph(model, {
      lastActivation: 'auto',
      explanationLayer: explanation.layer,
    })
    assert.equal(explanationLayer, explanation.layer)
    const session = await createSession(onnx, { threads: 1 })
    const input = numbers([1, size, size, 3])
    const { logits, features, gradients } = await session.run({ input })
    const layer = model.getLayer(explanation.layer)
    const both = tf.model({
      inputs: model.inputs,
      outputs: [...model.outputs, layer.output as tf.SymbolicTensor],
    })
    const x = tf.tensor(input.data, [...input.dims])
    const [expectedLogits, expectedFeatures] = both.predict(x) as [tf.Tensor, tf.Tensor]
    assert.ok(relativeError(logits?.data ?? [], expectedLogits.dataSync()) <= 1e-5)
    assert.ok(relativeError(features?.data ?? [], expectedFeatures.dataSync()) <= 1e-5)
    assert.equal(gradients?.dims[0], CLASSES)
    await session.release()
  })

  test(`${name}, dropout aside, has cpu's loss and gradients in training`, async () => {
    const model = make()
    for (const layer of model.layers.filter((one) => one.getClassName() === 'Dropout')) {
      Object.assign(layer, { rate: 0 })
    }
    // Through 52 normalisations over a batch of two, one rounded bit of the input moves cpu's own logits by 1.5e-5:
    // deep nets are compared as they are trained, with everything frozen but the head.
    const isDeep = model.layers.length > 60
    if (isDeep) for (const layer of model.layers.slice(0, -1)) layer.trainable = false
    const x = numbers([2, size, size, 3])
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
    const { value, grads } = tf.variableGrads(() => {
      const logits = model.apply(tf.tensor(x.data, [...x.dims]), { training: !isDeep }) as tf.Tensor
      return tf.losses.softmaxCrossEntropy(tf.tensor(y, [2, CLASSES]), logits) as tf.Scalar
    })
    const expected = model.trainableWeights.flatMap((weight) => [
      ...(grads[(weight as unknown as { val: tf.Variable }).val.name]?.dataSync() ?? []),
    ])
    // With momentum the first step's slot is the gradient itself.
    assert.ok(relativeError([loss], value.dataSync()) <= 1e-5)
    assert.ok(relativeError(step.optimizerState().slots.momentum ?? [], expected) <= 1e-5)
    await step.close()
  })
}
