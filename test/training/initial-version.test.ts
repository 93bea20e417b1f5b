// Starting from a version's weights, whatever part of the network is trained.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { trainLastLayers } from '../../src/architectures/fine-tuning.ts'
import { saveLayersModel } from '../../src/engine/layers-save.ts'
import { adoptWeights } from '../../src/training/initial-version.ts'

const build = (name: string, seed: number, outputs = 2) =>
  getArchitecture(name).build({ height: 32, width: 32, channels: 1, outputs, seed })

/** Every weight by name. */
const weightsOf = (model: tf.LayersModel) =>
  Object.fromEntries(
    model.layers.flatMap((layer) => {
      const values = layer.getWeights()
      return layer.weights.map((one, at) => [one.originalName, [...(values[at]?.dataSync() ?? [])]])
    }),
  )

let modelDir: string
let given: ReturnType<typeof weightsOf>
before(async () => {
  await tf.setBackend('cpu')
  modelDir = await mkdtemp(join(tmpdir(), 'roentgen-initial-'))
  const model = build('tiny_mobilenet', 1)
  given = weightsOf(model)
  await saveLayersModel(model, modelDir)
})
test.after(() => rm(modelDir, { recursive: true, force: true }))

for (const depth of ['all', 0, 6] as const) {
  test(`every weight is taken over when ${depth} layers before the head are trained`, async () => {
    const model = build('tiny_mobilenet', 2)
    trainLastLayers(model, depth)
    await adoptWeights(model, { version: 'pneumonia/tiny@1', modelDir })
    assert.deepEqual(weightsOf(model), given)
  })
}

test('a head of other classes starts anew, all before it is taken over', async () => {
  const model = build('tiny_mobilenet', 2, 3)
  const head = new Set(model.layers.at(-1)?.weights.map(({ originalName }) => originalName))
  const before = weightsOf(model)
  await adoptWeights(model, { version: 'pneumonia/tiny@1', modelDir })
  for (const [name, values] of Object.entries(weightsOf(model))) {
    assert.deepEqual(values, head.has(name) ? before[name] : given[name], name)
  }
})

test('another architecture is refused with a sentence', async () => {
  await assert.rejects(
    adoptWeights(build('tiny_cnn', 2), { version: 'pneumonia/tiny@1', modelDir }),
    { code: 'invalid', message: /^pneumonia\/tiny@1 has another architecture/ },
  )
})
