// Activations under load: five versions, callers that never pause, images varied. No request fails, and every answer is
// what its version gives alone. 40 activations in the usual run; 200, 100 of them with fresh hosts, when
// ROENTGEN_SLOW_TESTS=1.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'

const ACTIVATIONS = process.env.ROENTGEN_SLOW_TESTS === '1' ? 200 : 40
const VERSIONS = 5
const CALLERS = 4
const IMAGES = 6

test(`${ACTIVATIONS} activations over five versions under four callers fail no request and change no answer`, async (t) => {
  const folders = await homeFolders(t)
  const versions: string[] = []
  for (let seed = 1; seed <= VERSIONS; seed++) {
    versions.push((await storePackage(folders, { seed, accuracy: 0.9 })).id)
  }
  const { url, errors } = await servedHome(folders)
  await untilReady(url)
  const images = await Promise.all(Array.from({ length: IMAGES }, (_, i) => image(50 + i)))
  const predict = async (index: number, version?: string) => {
    const fields = { condition: 'pneumonia', explain: 'none', ...(version && { version }) }
    const body = imageForm({ image: images[index] ?? new Uint8Array(), ...fields })
    const response = await fetch(`${url}/api/v1/predict`, { method: 'POST', body })
    assert.equal(response.status, 200, await response.clone().text())
    return PredictionSchema.parse(await response.json())
  }
  const post = async (action: string, body: object): Promise<Response> =>
    fetch(`${url}/api/v1/conditions/pneumonia/${action}`, jsonBody(body))

  const alone = new Map<string, number[]>()
  for (const version of versions) {
    const values: number[] = []
    for (let i = 0; i < IMAGES; i++) values.push((await predict(i, version)).confidence)
    alone.set(version, values)
  }
  await post('activate', { version: versions[0], reason: 'the first' })

  let running = true
  let answers = 0
  const seen = new Set<string>()
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let turn = caller; running; turn++) {
      const index = turn % IMAGES
      const { version, confidence } = await predict(index)
      assert.equal(confidence, alone.get(version)?.[index], `${version} answered otherwise`)
      seen.add(version)
      answers += 1
    }
  })
  const load = Promise.all(callers)
  load.catch(() => {})

  let fresh = 0
  let active = versions[0]
  let before = active
  for (let turn = 1; turn <= ACTIVATIONS; turn++) {
    // Every fourth goes back to the version before, whose host is still warm.
    const isRollback = turn % 4 === 0
    const wanted = isRollback ? before : versions[turn % VERSIONS]
    const response = isRollback
      ? await post('rollback', { reason: `turn ${turn}` })
      : await post('activate', { version: wanted, reason: `turn ${turn}` })
    const line = await jsonOf<{ version: string; steps: { name: string; detail: string }[] }>(
      response,
    )
    assert.equal(response.status, 200, JSON.stringify(line))
    assert.equal(line.version, wanted)
    if (line.steps.some((step) => step.detail.includes('fresh process'))) fresh += 1
    before = active
    active = wanted
    const next = await predict(turn % IMAGES)
    assert.equal(next.version, wanted, 'the answer after an activation comes from its version')
  }
  running = false
  await load
  assert.equal(seen.size, VERSIONS)
  assert.ok(fresh >= ACTIVATIONS / 2, `${fresh} fresh hosts`)
  assert.equal(errors(), '')
  t.diagnostic(`${answers} answers during ${ACTIVATIONS} activations, ${fresh} with a fresh host`)
})
