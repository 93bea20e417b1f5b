// Real models from elsewhere: imported through the API, activated, served on real X-rays, equal to what TF.js gives.
import assert from 'node:assert/strict'
import { openAsBlob } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { ZipFile } from 'yazl'
import { loadLayersModel } from '../../src/engine/layers-model.ts'
import { decodeImage } from '../../src/imaging/decode.ts'
import { preprocess } from '../../src/imaging/preprocess.ts'
import { type Preprocessing, PreprocessingSchema } from '../../src/imaging/preprocessing.ts'
import { imported, largestDifference, predict, send } from '../support/foreign-model.ts'
import { homeFolders, jsonOf, openedHome } from '../support/home.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

const BRAIN = 'data/models/tfjs-layers-teachable-brain'
const INPUTS = 'data/models/keras-h5-teachable-chest'
const NO_TOP = 'data/backbones/mobilenet_v2_035_224_notop'
const NSFW = 'data/backbones/nsfwjs-mobilenet_v2'
const BROKEN = 'data/models/broken'
const CHESTER = 'data/chester/model-incomplete'
const MNIST = 'data/models/onnx-mnist'
const TF_MODE = '{"scale":0.00784313725490196,"mean":[1,1,1],"std":[1,1,1]}'

/** A folder as a zip, with its files at the root. */
async function zipped(folder: string): Promise<Blob> {
  const zip = new ZipFile()
  for (const name of await readdir(folder)) zip.addFile(join(folder, name), name)
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return new Blob(chunks.map((chunk) => Uint8Array.from(chunk)))
}

async function inputs(): Promise<{ name: string; bytes: Uint8Array }[]> {
  const folder = join(sharedPath(INPUTS) ?? '', 'inputs')
  const names = (await readdir(folder)).sort()
  return Promise.all(
    names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })),
  )
}

/** What TF.js' own cpu backend gives for the very pixels that are served. */
async function reference(
  model: tf.LayersModel,
  { bytes, rule }: { bytes: Uint8Array; rule: Preprocessing },
): Promise<number[]> {
  const { pixels } = await decodeImage(bytes, { maxBytes: 1e8, maxPixels: 1e8 })
  const x = tf.tensor4d(preprocess(pixels, rule), [1, rule.height, rule.width, rule.channels])
  const y = model.predict(x) as tf.Tensor
  const row = y.shape.length === 4 ? tf.mean(y, [1, 2]) : y
  const values = Array.from(await row.data())
  tf.dispose([x, y, row])
  return values
}

function tfRule(): Preprocessing {
  return PreprocessingSchema.parse({
    schema: 1,
    width: 224,
    height: 224,
    channels: 3,
    interpolation: 'bilinear',
    aspect: 'stretch',
    antialias: true,
    order: 'rgb',
    ...JSON.parse(TF_MODE),
  })
}

test('the Teachable Machine model answers on real X-rays as expected.json and TF.js say', {
  skip: skipWithout(BRAIN) || skipWithout(INPUTS),
}, async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const folder = sharedPath(BRAIN) ?? ''
  const id = await imported(opened, {
    file: await zipped(folder),
    name: 'brain.zip',
    fields: { condition: 'brain', name: 'teachable', preprocessing: TF_MODE },
  })
  const metadata = JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8'))
  const expected = JSON.parse(
    await readFile(join(sharedPath(INPUTS) ?? '', 'expected.json'), 'utf8'),
  )
  const model = await loadLayersModel(folder)
  let worst = 0
  for (const [index, { name, bytes }] of (await inputs()).entries()) {
    const prediction = await predict(opened, {
      condition: 'brain',
      image: bytes,
      explain: 'gradcam',
    })
    assert.equal(prediction.version, id)
    assert.deepEqual(
      prediction.classes.map((one) => one.label),
      metadata.labels,
    )
    const given = prediction.classes.map((one) => one.uncalibrated ?? Number.NaN)
    const stated: number[] = expected.outputs[name].tfjs_brain
    assert.ok(largestDifference(given, stated) <= 1e-3, `${name}: ${given} and not ${stated}`)
    assert.ok(prediction.heatmap, 'Grad-CAM comes with it')
    // TF.js itself takes a second an image; three of them show the rest.
    if (index % 4 === 0) {
      const exact = await reference(model, { bytes, rule: tfRule() })
      worst = Math.max(worst, largestDifference(given, exact))
    }
  }
  t.diagnostic(`largest difference from TF.js ${worst.toExponential(1)}`)
  assert.ok(worst <= 1e-5, `differs from TF.js by ${worst}`)
})

test('the ImageNet MobileNetV2 without a classifier is served as its 1280 averaged features', {
  skip: skipWithout(NO_TOP) || skipWithout(INPUTS),
}, async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const folder = sharedPath(NO_TOP) ?? ''
  const file = await zipped(folder)
  const fields = { condition: 'imagenet', name: 'mobilenet-v2', preprocessing: 'tf' }
  const refused = await send(opened, { file, name: 'm.zip', fields: { ...fields, classes: 'a,b' } })
  const problem = await jsonOf(refused)
  assert.equal(refused.status, 422)
  assert.match(String(problem.detail), /feature extractor without a classifier/)

  await imported(opened, { file, name: 'm.zip', fields })
  const model = await loadLayersModel(folder)
  const [first] = await inputs()
  const prediction = await predict(opened, {
    condition: 'imagenet',
    image: first?.bytes ?? new Uint8Array(),
  })
  assert.equal(prediction.classes.length, 1280)
  assert.equal(prediction.decision.positive, false)
  const logits = prediction.classes.map((one) => one.logit ?? Number.NaN)
  const exact = await reference(model, { bytes: first?.bytes ?? new Uint8Array(), rule: tfRule() })
  const worst = largestDifference(logits, exact)
  t.diagnostic(`largest difference from TF.js ${worst.toExponential(1)}`)
  assert.ok(worst <= 1e-5 * Math.max(1, ...exact), `differs from TF.js by ${worst}`)
})

test('a model with quantised weights answers as TF.js does', {
  skip: skipWithout(NSFW) || skipWithout(INPUTS),
}, async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const folder = sharedPath(NSFW) ?? ''
  await imported(opened, {
    file: await zipped(folder),
    name: 'n.zip',
    fields: {
      condition: 'pictures',
      name: 'nsfwjs',
      classes: '["drawing","hentai","neutral","*porn","sexy"]',
      preprocessing: 'unit',
      architecture: 'MobileNetV2',
    },
  })
  const model = await loadLayersModel(folder)
  const [first] = await inputs()
  const prediction = await predict(opened, {
    condition: 'pictures',
    image: first?.bytes ?? new Uint8Array(),
  })
  const rule = { ...tfRule(), scale: 1 / 255, mean: [0, 0, 0] }
  const exact = await reference(model, { bytes: first?.bytes ?? new Uint8Array(), rule })
  const worst = largestDifference(
    prediction.classes.map((one) => one.uncalibrated ?? Number.NaN),
    exact,
  )
  t.diagnostic(`largest difference from TF.js ${worst.toExponential(1)}`)
  assert.ok(worst <= 1e-5, `differs from TF.js by ${worst}`)
})

test('an ONNX file reads digits with the logits that ONNX Runtime is known to give', {
  skip: skipWithout(MNIST),
}, async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const folder = sharedPath(MNIST) ?? ''
  const { logits } = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'))
  await imported(opened, {
    file: await openAsBlob(join(folder, 'opt-mnist.onnx')),
    name: 'opt-mnist.onnx',
    fields: {
      condition: 'digits',
      name: 'mnist',
      classes: '0,1,2,3,4,5,6,7,8,9',
      preprocessing: 'unit',
    },
  })
  for (const digit of ['0', '3', '5', '7']) {
    const file = (await readdir(folder)).find((name) => name.startsWith(`${digit}.`)) ?? ''
    const prediction = await predict(opened, {
      condition: 'digits',
      image: await readFile(join(folder, file)),
    })
    assert.equal(prediction.decision.label, digit)
    const given = prediction.classes.map((one) => one.logit ?? Number.NaN)
    const stated: number[] = logits[`${file} divided by 255`]
    assert.ok(largestDifference(given, stated) <= 0.05, `${given} and not ${stated}`)
  }
})

test('every broken or unknown model file is refused in one sentence, and leaves nothing', {
  skip: skipWithout(BROKEN) || skipWithout(CHESTER),
}, async (t) => {
  const folders = await homeFolders(t)
  const opened = await openedHome(folders)
  const folder = sharedPath(BROKEN) ?? ''
  const fields = { condition: 'x', name: 'y', classes: 'a,b', preprocessing: 'tf' }
  const entries = await readdir(folder, { withFileTypes: true })
  const cases = entries.map((entry) => ({
    name: entry.name,
    path: join(folder, entry.name),
    isFolder: entry.isDirectory(),
  }))
  cases.push({ name: 'chester', path: sharedPath(CHESTER) ?? '', isFolder: true })
  for (const { name, path, isFolder } of cases) {
    const file = isFolder ? await zipped(path) : await openAsBlob(path)
    const response = await send(opened, { file, name: isFolder ? `${name}.zip` : name, fields })
    const problem = await jsonOf(response)
    assert.equal(response.status, 422, `${name}: ${JSON.stringify(problem)}`)
    const detail = String(problem.detail)
    assert.match(detail, /^[A-Zm"][^\n]{20,300}\.$/, name)
    assert.doesNotMatch(detail, /\/tmp|\/work|node_modules|Error:/)
    t.diagnostic(`${name}: ${detail}`)
  }
  const versions = await jsonOf(await opened.call('/api/v1/versions'))
  assert.equal(versions.total, 0)
  assert.deepEqual(await readdir(join(folders.modelsDir, '.staging')), [])
})

test('a foreign model without a word about its condition is asked for it', {
  skip: skipWithout(BRAIN),
}, async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const file = await zipped(sharedPath(BRAIN) ?? '')
  const none = await jsonOf(await send(opened, { file, name: 'b.zip', fields: {} }))
  assert.equal(none.code, 'condition-required')
  const unscaled = await send(opened, {
    file,
    name: 'b.zip',
    fields: { condition: 'b', name: 'b' },
  })
  assert.match(String((await jsonOf(unscaled)).detail), /how pixel values are scaled/)
})
