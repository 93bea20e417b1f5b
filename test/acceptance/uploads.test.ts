// Hostile and broken uploads through the API: each gets a reading or a 4xx with a sentence, and a refusal changes nothing.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../support/home.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

const NASTY = 'data/nasty-images'

test('every nasty image is read or refused with a helpful sentence, never with a 5xx', {
  skip: skipWithout(NASTY),
}, async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  const folder = sharedPath(NASTY) ?? ''
  const names = (await readdir(folder)).filter((name) => !/README|SUMS|\.csv$/.test(name))
  let read = 0
  for (const name of names) {
    const image = await readFile(join(folder, name))
    const body = imageForm({ image, condition: 'pneumonia', explain: 'none' })
    const response = await call('/api/v1/predict', { method: 'POST', body })
    const json = await jsonOf(response)
    if (response.status === 200) {
      PredictionSchema.parse(json)
      read += 1
      continue
    }
    assert.ok([413, 415, 422].includes(response.status), `${name}: ${response.status}`)
    assert.match(String(json.detail), /^[A-Z][^\n]{10,300}\.$/, name)
    assert.doesNotMatch(String(json.detail), /\/|Error:|Vips/, name)
  }
  assert.ok(read > 10, `${read} of ${names.length} were read`)
  const kept = await readdir(join(folders.dataDir, 'uploads'))
  assert.equal(kept.length, read, 'nothing is kept of what was refused')
  t.diagnostic(`${read} of ${names.length} were read, the others refused`)
})
