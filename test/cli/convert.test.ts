// roentgen convert: files and versions in other formats, and what is said when that cannot be.
import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { homeFolders, storePackage } from '../support/home.ts'
import { assertRefused, roentgen, roentgenJson } from './run-cli.ts'

const ONNX = fileURLToPath(
  new URL('../../models/pneumonia/tiny-cnn-demo/v1/models/tiny-cnn-demo.onnx', import.meta.url),
)
const FIXTURES = fileURLToPath(new URL('../formats/keras/fixtures/', import.meta.url))
const KERAS = join(FIXTURES, 'functional.keras')

test('a Keras file becomes TF.js, ONNX and the other files of Keras, and goes back', async (t) => {
  const { root, env } = await homeFolders(t)
  const convert = (source: string, to: string, out: string) =>
    roentgenJson<{ bytes: number }>(['convert', source, '--to', to, '--out', out], {
      env,
      cwd: root,
    })
  await convert(KERAS, 'tfjs', 'folder')
  const topology = JSON.parse(await readFile(join(root, 'folder/model.json'), 'utf8'))
  assert.equal(topology.format, 'layers-model')
  const { bytes } = await convert('folder', 'h5', 'new/back.h5')
  assert.equal((await stat(join(root, 'new/back.h5'))).size, bytes)
  await convert('new/back.h5', 'onnx', 'm.onnx')
  assert.equal((await readFile(join(root, 'm.onnx')))[0], 8)
  await convert('folder/model.json', 'weights.h5', 'm.weights.h5')
})

test('what cannot be converted is told in one sentence and leaves nothing', async (t) => {
  const folders = await homeFolders(t)
  const { root, env } = folders
  const run = (source: string, ...more: string[]) =>
    roentgen(['convert', source, '--to', 'keras', '--out', join(root, 'o.keras'), ...more], {
      env,
      cwd: root,
    })
  assertRefused(await run(join(FIXTURES, 'lambda.keras')), /never executed/)
  assertRefused(await run('nowhere.h5'), /neither a file nor a version/)
  assertRefused(await run('none/such@1'), /none|no version|unknown/i)
  assertRefused(await run(ONNX), /a graph without layers/)
  await writeFile(join(root, 'm.onnx'), 'x')
  assertRefused(await run('m.onnx'), /not a supported model/)
  await writeFile(join(root, 'text.h5'), 'hello')
  assertRefused(await run('text.h5'), /not a supported model/)
  await mkdir(join(root, 'empty'))
  assertRefused(await run('empty'), /no model\.json/)
  await assert.rejects(stat(join(root, 'o.keras')))
  await writeFile(join(root, 'o.keras'), 'mine')
  assertRefused(await run(KERAS), /already exists/)
  assert.equal(await readFile(join(root, 'o.keras'), 'utf8'), 'mine')
  assert.equal((await run(KERAS, '--force')).status, 0)
  const stored = await storePackage(folders, { seed: 1, accuracy: 0.8 })
  await roentgenJson(['convert', stored.id, '--to', 'onnx', '--out', 'v.onnx'], { env, cwd: root })
  assert.ok((await stat(join(root, 'v.onnx'))).size > 0)
})
