// Features that an interrupted run left are used again only when they are whole and of the very same making.
import assert from 'node:assert/strict'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { trainLastLayers } from '../../src/architectures/fine-tuning.ts'
import {
  findFeatures,
  keyOf,
  noteFeatures,
  removeFeatures,
} from '../../src/training/loop/kept-features.ts'

function network(seed: number) {
  const shape = { height: 32, width: 32, channels: 1, outputs: 1, seed } as const
  const model = getArchitecture('tiny_cnn').build(shape)
  trainLastLayers(model, 4)
  return model
}

test('the key follows settings and frozen weights', () => {
  const key = keyOf(network(1), { copies: 2 })
  assert.equal(keyOf(network(1), { copies: 2 }), key)
  assert.notEqual(keyOf(network(1), { copies: 3 }), key)
  assert.notEqual(keyOf(network(2), { copies: 2 }), key)
})

test('features are found whole and under their key, or not at all', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'roentgen-kept-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const path = join(root, 'features.bin')
  const note = { key: 'one', bytes: 8, seconds: 3 }
  await writeFile(path, Buffer.alloc(8))
  assert.equal(await findFeatures(path, note), undefined, 'killed before they were noted')
  await noteFeatures(path, note)
  assert.deepEqual(await findFeatures(path, note), note)
  assert.equal(await findFeatures(path, { key: 'other', bytes: 8 }), undefined)
  await truncate(path, 4)
  assert.equal(await findFeatures(path, note), undefined)
  await removeFeatures(path)
  await removeFeatures(path)
  assert.equal(await findFeatures(path, note), undefined)
})
