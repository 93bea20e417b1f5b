// TensorFlow's native library gives what the traced engine gives. Runs where the library is installed (beside Roentgen's
// other parts, or in the folder that ROENTGEN_TENSORFLOW names) and says that it was skipped where it is not.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { readConfig } from '../../src/config.ts'
import { chooseEngine } from '../../src/engine/native/choose-engine.ts'
import { findLibrary } from '../../src/engine/native/find-library.ts'
import { loadLibrary, onNative } from '../../src/engine/native/load-library.ts'
import type { PredictionOptions } from '../../src/engine/prediction.ts'
import { createPredictionSession } from '../../src/engine/prediction-session.ts'
import type { TrainingStep } from '../../src/engine/training/step-interface.ts'
import { createTrainingStep } from '../../src/engine/training-step.ts'
import { BATCH, batchAt } from './batches.ts'
import { numbers, relativeError } from './compare.ts'
import { separableNet, tinyNet } from './nets.ts'

const { tensorflowDir } = readConfig()
const library = findLibrary(tensorflowDir)
const skip = library?.isComplete
  ? false
  : "TensorFlow's native library is not installed: not checked (ROENTGEN_TENSORFLOW may name a folder with it)"

/** Two ways of adding up 32-bit floats. */
const TOLERANCE = 1e-5

before(() => {
  if (!library?.isComplete) return
  const { gpu } = loadLibrary(library)
  console.log(`# ${library.name} ${library.version} on ${gpu ? 'a GPU' : 'the CPU'}`)
})

function assertClose(
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number>,
  what: string,
) {
  const error = relativeError(actual ?? [], expected)
  console.log(`# ${what}: differs by ${error.toExponential(1)} (relative)`)
  assert.ok(error <= TOLERANCE, `${what} differs by ${error} (relative)`)
}

const nets = {
  'a linear head': () => tinyNet({ classes: 3 }),
  'a head with a hidden layer, past a residual connection': () => separableNet(),
}

for (const [name, make] of Object.entries(nets)) {
  test(`a prediction with ${name} has the traced engine's outputs`, { skip }, async () => {
    const model = make()
    const options: PredictionOptions = { lastActivation: 'auto' }
    const dims = [1, ...(model.inputs[0]?.shape.slice(1).map(Number) ?? [])]
    const input = numbers(dims, 3)
    const traced = await createPredictionSession(model, { ...options, threads: 1 })
    const native = await createPredictionSession(model, {
      ...options,
      threads: 1,
      engine: 'tensorflow',
    })
    assert.deepEqual(native.graph, traced.graph)
    assert.equal(native.explanationLayer, traced.explanationLayer)
    assert.equal(native.explanationReason, traced.explanationReason)
    const expected = await traced.run({ input })
    const actual = await native.run({ input })
    for (const [output, value] of Object.entries(expected)) {
      assert.deepEqual([...(actual[output]?.dims ?? [])], [...value.dims], output)
      assertClose(actual[output]?.data, value.data, `${name}: ${output}`)
    }
    await traced.release()
    await native.release()
  })
}

async function fiveSteps(step: TrainingStep, classes: number): Promise<number[]> {
  const losses: number[] = []
  const channels = classes === 1 ? 1 : 3
  for (let i = 0; i < 5; i++) losses.push((await step.run(batchAt(i, { channels, classes }))).loss)
  return losses
}

for (const [name, make, kind, classes] of [
  ['the tiny net', () => tinyNet(), 'binary', 1],
  ['the separable net with dropout', () => separableNet({ dropout: 0.3 }), 'single-label', 3],
] as const) {
  for (const optimizer of ['adam', 'sgd'] as const) {
    test(`five steps of ${name} with ${optimizer} end at the traced engine's weights`, {
      skip,
    }, async () => {
      const options = {
        model: make(),
        kind,
        batchSize: BATCH,
        optimizer: { name: optimizer, weightDecay: 0.01 },
        labelSmoothing: 0.1,
        threads: 1,
      }
      const traced = await createTrainingStep(options)
      const native = await createTrainingStep({ ...options, engine: 'tensorflow' })
      const expected = await fiveSteps(traced, classes)
      const held = tf.memory().numTensors
      assertClose(await fiveSteps(native, classes), expected, `${name}, ${optimizer}: losses`)
      assert.equal(tf.memory().numTensors, held, 'steps leave no tensor behind')
      const weights = traced.weights()
      assert.deepEqual([...native.weights().keys()], [...weights.keys()])
      for (const [weight, values] of native.weights()) {
        const reference = weights.get(weight) ?? []
        assert.ok(relativeError(values, reference) <= 1e-4, weight)
      }
      assert.equal(native.optimizerState().step, 5)
      await traced.close()
      await native.close()
    })
  }
}

test('a native step that is restored goes on like one that was never stopped', {
  skip,
}, async () => {
  const options = {
    model: separableNet({ dropout: 0.3 }),
    kind: 'single-label',
    batchSize: BATCH,
    optimizer: { name: 'adam' },
    threads: 1,
    engine: 'tensorflow',
  } as const
  const batch = (i: number) => batchAt(i, { channels: 3, classes: 3 })
  const whole = await createTrainingStep(options)
  const first = await createTrainingStep(options)
  for (let i = 0; i < 3; i++) {
    await whole.run(batch(i))
    await first.run(batch(i))
  }
  const second = await createTrainingStep(options)
  second.restore({ weights: first.weights(), optimizer: first.optimizerState() })
  const expected = await whole.run(batch(3))
  const resumed = await second.run(batch(3))
  assertClose([resumed.loss, ...resumed.logits], [expected.loss, ...expected.logits], 'resumed')
  for (const step of [whole, first, second]) await step.close()
})

test('frozen layers stay as they are on TensorFlow too', { skip }, async () => {
  const model = tinyNet()
  for (const layer of model.layers.slice(0, 4)) layer.trainable = false
  const options = {
    model,
    kind: 'binary',
    batchSize: BATCH,
    optimizer: { name: 'adam' },
    threads: 1,
  } as const
  const traced = await createTrainingStep(options)
  const native = await createTrainingStep({ ...options, engine: 'tensorflow' })
  assertClose(await fiveSteps(native, 1), await fiveSteps(traced, 1), 'frozen: losses')
  assert.deepEqual([...native.weights().keys()], [...traced.weights().keys()])
  const kernel = model.getLayer('conv1').getWeights()[0]?.dataSync() ?? []
  native.applyTo(model)
  assert.deepEqual(model.getLayer('conv1').getWeights()[0]?.dataSync(), kernel)
  await traced.close()
  await native.close()
})

test('auto takes TensorFlow only when a GPU answers; asked for, it is taken on a CPU too', {
  skip,
}, async () => {
  const auto = await chooseEngine({ engine: 'auto', tensorflowDir })
  const asked = await chooseEngine({ engine: 'tensorflow', tensorflowDir })
  const { gpu } = loadLibrary(findLibrary(tensorflowDir) ?? assert.fail())
  assert.equal(auto.engine, gpu ? 'tensorflow' : 'onnx')
  assert.match(auto.reason, gpu ? /a GPU answers/ : /no GPU answers/)
  assert.equal(asked.engine, 'tensorflow')
  assert.match(asked.reason, /asked for by ROENTGEN_ENGINE/)
})

test('what runs natively leaves the cpu backend chosen', { skip }, () => {
  assert.equal(
    onNative(() => tf.getBackend()),
    'tensorflow',
  )
  assert.equal(tf.getBackend(), 'cpu')
})
