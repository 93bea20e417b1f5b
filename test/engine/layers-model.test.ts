// Loading TF.js layers models from a folder: what is read, and what is refused in one sentence.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { loadLayersModel } from '../../src/engine/layers-model.ts'
import { saveLayersModel } from '../../src/engine/layers-save.ts'
import { isAppError } from '../../src/errors.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'
import { numbers } from './compare.ts'
import { tinyNet } from './nets.ts'

let folder = ''

before(async () => {
  await tf.setBackend('cpu')
  folder = await mkdtemp(join(tmpdir(), 'roentgen-layers-'))
})
after(() => rm(folder, { recursive: true, force: true }))

interface ModelJson {
  format?: string
  modelTopology: Record<string, unknown>
  weightsManifest: {
    paths: string[]
    weights: { name: string; shape: number[]; dtype: string; quantization?: object }[]
  }[]
}

/** A saved tiny net whose model.json (and weights) are changed by `change`. */
async function saved(
  name: string,
  change: (json: ModelJson, weights: Buffer) => Buffer | undefined = () => undefined,
): Promise<string> {
  const path = join(folder, name)
  await saveLayersModel(tinyNet(), path)
  const json: ModelJson = JSON.parse(await readFile(join(path, 'model.json'), 'utf8'))
  const weights = change(json, await readFile(join(path, 'weights.bin')))
  if (weights) await writeFile(join(path, 'weights.bin'), weights)
  await writeFile(join(path, 'model.json'), JSON.stringify(json))
  return path
}

async function refusal(path: string): Promise<string> {
  const error = await loadLayersModel(path).then(
    () => assert.fail('it was loaded'),
    (thrown: unknown) => thrown,
  )
  assert.ok(isAppError(error) && error.code === 'invalid-package', String(error))
  assert.doesNotMatch(error.message, /\n|\/tmp|at .*\.js/)
  return error.message
}

function predict(model: tf.LayersModel): number[] {
  const { data, dims } = numbers([1, 16, 16, 1])
  return [...(model.predict(tf.tensor(data, [...dims])) as tf.Tensor).dataSync()]
}

test('a saved model is loaded again, by us and by TF.js itself, with the same predictions', async () => {
  const path = await saved('same')
  const ours = predict(await loadLayersModel(path))
  assert.deepEqual(ours, predict(tinyNet()))
  const json: ModelJson = JSON.parse(await readFile(join(path, 'model.json'), 'utf8'))
  const data = new Uint8Array(await readFile(join(path, 'weights.bin'))).buffer
  const theirs = await tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights) as never,
      weightData: data,
    }),
  )
  assert.deepEqual(predict(theirs), ours)
})

test('weights may lie in several shards', async () => {
  const path = await saved('shards', (json, weights) => {
    json.weightsManifest[0]?.paths.splice(0, 1, 'weights.bin', 'rest.bin')
    return weights.subarray(0, 101)
  })
  const whole = await readFile(join(await saved('whole'), 'weights.bin'))
  await writeFile(join(path, 'rest.bin'), whole.subarray(101))
  assert.deepEqual(predict(await loadLayersModel(path)), predict(tinyNet()))
})

test('quantised weights are loaded, also when model.json names no format', async () => {
  const stored = { uint8: 1, uint16: 2, float16: 2 }
  for (const [dtype, bytes] of Object.entries(stored)) {
    const path = await saved(dtype, (json) => {
      delete json.format
      const weights = json.weightsManifest[0]?.weights ?? []
      for (const weight of weights) {
        weight.quantization = dtype === 'float16' ? { dtype } : { dtype, min: 0.5, scale: 0 }
      }
      const size = weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
      return Buffer.alloc(size * bytes)
    })
    const [first] = (await loadLayersModel(path)).getWeights()
    const [value] = first?.dataSync() ?? []
    assert.equal(value, dtype === 'float16' ? 0 : 0.5, dtype)
  }
})

test('names outside the folder and addresses are refused', async () => {
  const outside = ['../weights.bin', '/etc/passwd', 'a/../../b', 'C:\\weights.bin', '..', '']
  for (const [i, path] of outside.entries()) {
    const refused = await saved(`outside${i}`, (json) => {
      json.weightsManifest[0]?.paths.splice(0, 1, path)
      return undefined
    })
    assert.match(await refusal(refused), /outside its own folder|another machine/)
  }
  for (const [i, path] of ['http://example.org/w.bin', '//example.org/w', 'file:w'].entries()) {
    const refused = await saved(`remote${i}`, (json) => {
      json.weightsManifest[0]?.paths.splice(0, 1, path)
      return undefined
    })
    assert.match(await refusal(refused), /another machine/)
  }
})

test('a link instead of a weight file is refused', async () => {
  const path = await saved('link')
  await rename(join(path, 'weights.bin'), join(folder, 'elsewhere.bin'))
  await symlink(join(folder, 'elsewhere.bin'), join(path, 'weights.bin'))
  assert.match(await refusal(path), /weights\.bin is missing/)
})

test('missing and short weights are refused', async () => {
  const missing = await saved('missing', (json) => {
    json.weightsManifest[0]?.paths.push('second.bin')
    return undefined
  })
  assert.match(await refusal(missing), /second\.bin is missing/)
  const short = await saved('short', (_, weights) => weights.subarray(0, weights.length - 1))
  assert.match(await refusal(short), /too short/)
  const unnamed = await saved('unnamed', (json) => {
    json.weightsManifest = []
    return undefined
  })
  assert.match(await refusal(unnamed), /names no weights/)
})

test('absurd weights are refused before memory is taken for them', async () => {
  const large = await saved('large', (json) => {
    json.weightsManifest[0]?.weights.push({ name: 'x', shape: [1e6, 1e6], dtype: 'float32' })
    return undefined
  })
  assert.match(await refusal(large), /larger than 1 GiB/)
  const negative = await saved('negative', (json) => {
    json.weightsManifest[0]?.weights.push({ name: 'x', shape: [-1], dtype: 'float32' })
    return undefined
  })
  assert.match(await refusal(negative), /without a name or a shape/)
  const strange = await saved('strange', (json) => {
    json.weightsManifest[0]?.weights.push({ name: 'x', shape: [1], dtype: 'complex64' })
    return undefined
  })
  assert.match(await refusal(strange), /stored as complex64/)
})

test('what is no layers model is refused', async () => {
  assert.match(await refusal(join(folder, 'nowhere')), /no model\.json/)
  const broken = await saved('broken')
  await writeFile(join(broken, 'model.json'), '{"modelTopology":')
  assert.match(await refusal(broken), /not valid JSON/)
  await writeFile(join(broken, 'model.json'), '[]')
  assert.match(await refusal(broken), /does not describe/)
  await writeFile(join(broken, 'model.json'), '{"modelTopology":{"weights":1}}')
  assert.match(await refusal(broken), /no layers model/)
  await writeFile(
    join(broken, 'model.json'),
    '{"format":"graph-model","modelTopology":{"node":[]}}',
  )
  assert.match(await refusal(broken), /graph model/)
})

test('a layer class that TF.js does not know is named', async () => {
  const path = await saved('unknown', (json) => {
    const text = JSON.stringify(json.modelTopology).replace('"ReLU"', '"QuantumLayer"')
    json.modelTopology = JSON.parse(text)
    return undefined
  })
  assert.match(await refusal(path), /layer class "QuantumLayer"/)
})

for (const [path, expected] of [
  ['data/models/broken/tfjs-path-traversal', /outside its own folder/],
  ['data/models/broken/tfjs-remote-weights', /another machine/],
  ['data/models/broken/tfjs-weights-too-short', /too short: 1077216 of 2154432/],
  ['data/chester/model-incomplete', /graph model/],
] as const) {
  test(`${path} is refused`, { skip: skipWithout(path) }, async () => {
    assert.match(await refusal(sharedPath(path) ?? ''), expected)
  })
}
