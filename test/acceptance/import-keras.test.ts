// Real Keras files from elsewhere through the API: they answer as their expected.json says.
import assert from 'node:assert/strict'
import { openAsBlob } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { imported, largestDifference, predict, send } from '../support/foreign-model.ts'
import { homeFolders, jsonOf, openedHome } from '../support/home.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

const CHEST = 'data/models/keras-h5-teachable-chest'
const DIGITS = 'data/models/keras3-mnist'
const IMAGES = 'data/models/onnx-mnist'
const FIXTURES = fileURLToPath(new URL('../formats/keras/fixtures/', import.meta.url))

test('the Keras 2.4 file of Teachable Machine answers as its expected.json says', {
  skip: skipWithout(CHEST),
}, async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const folder = sharedPath(CHEST) ?? ''
  const labels = (await readFile(join(folder, 'labels.txt'), 'utf8')).trim().split('\n')
  const classes = labels.map((line) => line.replace(/^\d+\s+/, '').trim())
  const id = await imported(opened, {
    file: await openAsBlob(join(folder, 'keras_model.h5')),
    name: 'keras_model.h5',
    fields: {
      condition: 'chest',
      name: 'teachable',
      classes: JSON.stringify(classes),
      preprocessing: 'tf',
    },
  })
  const { outputs } = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'))
  const names = (await readdir(join(folder, 'inputs'))).sort()
  let worst = 0
  for (const [index, name] of names.entries()) {
    const image = await readFile(join(folder, 'inputs', name))
    const explain = index === 0 ? 'gradcam' : 'none'
    const prediction = await predict(opened, { condition: 'chest', image, explain })
    assert.equal(prediction.version, id)
    const given = prediction.classes.map((one) => one.uncalibrated ?? Number.NaN)
    worst = Math.max(worst, largestDifference(given, outputs[name].keras_h5_chest))
    if (index === 0) assert.ok(prediction.heatmap, 'Grad-CAM comes with it')
  }
  t.diagnostic(`largest difference from expected.json ${worst.toExponential(1)}`)
  assert.ok(worst <= 1e-3)
})

test('a file of Keras 3 reads digits as its expected.json says', {
  skip: skipWithout(DIGITS) || skipWithout(IMAGES),
}, async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const folder = sharedPath(DIGITS) ?? ''
  await imported(opened, {
    file: await openAsBlob(join(folder, 'model.keras')),
    name: 'model.keras',
    fields: {
      condition: 'digits',
      name: 'mnist',
      classes: '0,1,2,3,4,5,6,7,8,9',
      preprocessing: 'unit',
    },
  })
  const { outputs } = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'))
  for (const digit of ['0', '3', '5', '7']) {
    const image = await readFile(join(sharedPath(IMAGES) ?? '', `${digit}.jpg`))
    const { classes, decision } = await predict(opened, { condition: 'digits', image })
    assert.equal(decision.label, digit)
    const stated: number[] = outputs[`${digit}.jpg divided by 255`]
    const worst = largestDifference(
      classes.map((one) => one.uncalibrated ?? Number.NaN),
      stated,
    )
    assert.ok(worst <= 1e-3, `${digit}: ${worst}`)
  }
})

test('a Keras file in the inbox becomes a version once its details are beside it', async (t) => {
  const folders = await homeFolders(t)
  const opened = await openedHome(folders)
  const details = { condition: 'plain', name: 'keras', classes: 'a,b,*c', preprocessing: 'raw' }
  const inbox = join(folders.modelsDir, 'inbox')
  await writeFile(join(inbox, 'm.keras'), await readFile(join(FIXTURES, 'sequential.keras')))
  await writeFile(join(inbox, 'm.keras.json'), JSON.stringify(details))
  const deadline = Date.now() + 60_000
  for (;;) {
    const { total } = await jsonOf(await opened.call('/api/v1/versions'))
    if (total === 1) break
    assert.ok(Date.now() < deadline, 'it was never taken in')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const version = await jsonOf(await opened.call('/api/v1/versions/plain/keras/1'))
  assert.equal(version.architecture, 'keras')
})

test('a model with code in it, and one with an unknown layer, are refused and leave nothing', async (t) => {
  const opened = await openedHome(await homeFolders(t))
  const fields = { condition: 'x', name: 'y', classes: 'a,b', preprocessing: 'raw' }
  for (const [name, sentence] of [
    ['lambda.keras', /never executed/],
    ['unknown-layer.keras', /Discretization.* is not supported/],
  ] as const) {
    const file = await openAsBlob(join(FIXTURES, name))
    const response = await send(opened, { file, name, fields })
    assert.equal(response.status, 422)
    assert.match(String((await jsonOf(response)).detail), sentence)
  }
})
