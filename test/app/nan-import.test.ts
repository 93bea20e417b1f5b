// Models from elsewhere whose weights are no numbers, through the API: refused with a sentence, and nothing is left of them.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { zipFolder } from '../../src/cli/folder-zip.ts'
import { saveLayersModel } from '../../src/engine/layers-save.ts'
import { encodeModel } from '../../src/engine/onnx/model.ts'
import { findCondition } from '../../src/registry/conditions/conditions.ts'
import { listVersions } from '../../src/registry/versions/version-list.ts'
import { send } from '../support/foreign-model.ts'
import { homeFolders, jsonOf, openedHome } from '../support/home.ts'

const FIELDS = {
  condition: 'effusion',
  name: 'theirs',
  classes: 'NORMAL,*EFFUSION',
  kind: 'binary',
  preprocessing: 'unit',
}

/** A linear layer over an image of 2 x 2, and ReLU, which makes zeros of NaN in ONNX Runtime. */
function linear(weight: (i: number) => number): Blob {
  const bytes = encodeModel({
    nodes: [
      { op: 'Flatten', inputs: ['x'], outputs: ['flat'], attributes: { axis: 1 } },
      { op: 'MatMul', inputs: ['flat', 'dense'], outputs: ['z'], attributes: {} },
      { op: 'Relu', inputs: ['z'], outputs: ['y'], attributes: {} },
    ],
    initializers: new Map([
      [
        'dense',
        {
          type: 'float32',
          dims: [4, 1],
          data: Float32Array.from({ length: 4 }, (_, i) => weight(i)),
        },
      ],
    ]),
    inputs: [{ name: 'x', type: 'float32', dims: [1, 2, 2, 1] }],
    outputs: [{ name: 'y', type: 'float32', dims: [1, 1] }],
  })
  return new Blob([Uint8Array.from(bytes)])
}

async function layersModel(root: string, value: number): Promise<Blob> {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [8, 8, 1],
        filters: 2,
        kernelSize: 3,
        activation: 'relu',
        name: 'first',
      }),
      tf.layers.globalAveragePooling2d({}),
      tf.layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  })
  const layer = model.getLayer('first')
  layer.setWeights(layer.getWeights().map((one) => tf.fill(one.shape, value)))
  const folder = join(root, `layers-${value}`)
  await saveLayersModel(model, folder)
  const zip = await zipFolder(folder)
  const bytes = await readFile(zip.path)
  await zip.remove()
  return new Blob([bytes])
}

test('a model with weights that are not numbers is refused with 422 and leaves nothing, in whatever file it comes', async (t) => {
  const folders = await homeFolders(t)
  const opened = await openedHome(folders)
  const { home } = opened
  const endless = Number.POSITIVE_INFINITY
  for (const [file, name, sentence] of [
    [linear((i) => (i === 2 ? Number.NaN : 1)), 'theirs.onnx', /"dense" .*not numbers \(NaN\)/],
    [linear((i) => (i === 2 ? -endless : endless)), 'infinite.onnx', /not finite numbers/],
    [await layersModel(folders.root, Number.NaN), 'layers.zip', /not numbers \(NaN\)/],
  ] as const) {
    const answer = await send(opened, { file, name, fields: FIELDS })
    const problem = await jsonOf(answer)
    assert.deepEqual(
      [answer.status, problem.code],
      [422, 'invalid-package'],
      `${name}: ${problem.detail}`,
    )
    assert.match(`${problem.detail}`, sentence, name)
    assert.equal((await listVersions(home.db, {})).total, 0, name)
    assert.equal(await findCondition(home.db, 'effusion'), undefined, name)
    assert.deepEqual(await readdir(home.store.stagingDir), [], name)
  }
  // The same models with numbers are taken.
  const sound = await send(opened, { file: linear(() => 1), name: 'theirs.onnx', fields: FIELDS })
  assert.equal(sound.status, 201, await sound.clone().text())
  const layers = { file: await layersModel(folders.root, 0.1), name: 'layers.zip', fields: FIELDS }
  assert.equal((await send(opened, layers)).status, 201)
})
