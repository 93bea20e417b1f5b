// A blinded reading: what may be seen when, votes that stay as they were given, and how they add up.
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { sql } from 'kysely'
import { getBlindReading, tallyVotes } from '../../../src/registry/paired/blind-readings.ts'
import { getPrediction } from '../../../src/registry/predictions/predictions.ts'
import { image } from '../../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'

const HTML = { accept: 'text/html' }

async function withTwo(t: TestContext) {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1, name: 'alpha-net', accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 1, name: 'omega-net', accuracy: 0.9 })
  const { home, call } = await openedHome(folders)
  const begin = async (seed: number, sides = { a: a.id, b: b.id }) => {
    const fields = { condition: 'pneumonia', ...sides, blind: 'on' }
    const body = imageForm({ image: await image(seed), ...fields })
    const response = await call('/compare', { method: 'POST', headers: HTML, body })
    return response
  }
  const idOf = (response: Response): string =>
    /^\/compare\/blind\/(bl_[\w-]+)$/.exec(response.headers.get('location') ?? '')?.[1] ?? ''
  const step = (id: string, name: string, fields: Record<string, string>) =>
    call(`/compare/blind/${id}/${name}`, {
      method: 'POST',
      headers: HTML,
      body: new URLSearchParams(fields),
    })
  const page = async (id: string): Promise<string> =>
    (await call(`/compare/blind/${id}`, { headers: HTML })).text()
  return { home, call, a, b, begin, idOf, step, page }
}

test('first the image alone, then readings without names, then everything with the tally', async (t) => {
  const { home, a, b, begin, idOf, step, page } = await withTwo(t)
  const begun = await begin(5)
  assert.equal(begun.status, 303)
  const id = idOf(begun)
  const reading = await getBlindReading(home.db, id)
  const { prediction } = await getPrediction(home.db, reading.a.prediction)
  const names = /alpha-net|omega-net|tiny@/

  const unread = await page(id)
  assert.match(unread, /What do you see\?/)
  assert.doesNotMatch(unread, names)
  assert.doesNotMatch(
    unread,
    /Calibrated probability|Score \(not calibrated\)|class="decision|film-heat/,
  )

  assert.equal((await step(id, 'vote', { preference: 'a' })).status, 409, 'not before the reading')
  assert.equal((await step(id, 'read', {})).status, 422)
  assert.equal((await step(id, 'read', { label: 'FRACTURE' })).status, 422)
  assert.equal((await step(id, 'read', { label: prediction.decision.label })).status, 303)

  const read = await page(id)
  assert.match(read, /Which result is better\?/)
  assert.match(read, /Score \(not calibrated\)/)
  assert.doesNotMatch(read, names)
  // What stands first is the one that the lot put there.
  const shownFirst = reading.isSwapped ? reading.b : reading.a
  assert.ok(
    read.indexOf(shownFirst.prediction) <
      read.indexOf((reading.isSwapped ? reading.a : reading.b).prediction),
  )
  assert.match(read, new RegExp(`value="${reading.isSwapped ? 'b' : 'a'}">One is better`))

  assert.equal((await step(id, 'read', { unsure: '1' })).status, 409, 'said is said')
  assert.equal((await step(id, 'vote', { preference: 'best' })).status, 422)
  assert.equal((await step(id, 'vote', { preference: 'b' })).status, 303)
  const voted = await page(id)
  assert.ok(voted.includes(a.id) && voted.includes(b.id))
  assert.match(voted, /Votes on alpha-net@1 and omega-net@1/)
  assert.equal((await step(id, 'vote', { preference: 'a' })).status, 409)
  await assert.rejects(
    sql`update blind_readings set preference = 'a' where id = ${id}`.execute(home.db),
    /never changed/,
  )
})

test('votes are counted for the pair, whichever was chosen first', async (t) => {
  const { home, call, a, b, begin, idOf, step } = await withTwo(t)
  const vote = async (seed: number, sides: { a: string; b: string }, preference: string) => {
    const id = idOf(await begin(seed, sides))
    await step(id, 'read', { unsure: '1' })
    await step(id, 'vote', { preference })
  }
  await vote(1, { a: a.id, b: b.id }, 'a')
  await vote(2, { a: b.id, b: a.id }, 'b')
  await vote(3, { a: b.id, b: a.id }, 'a')
  await vote(4, { a: a.id, b: b.id }, 'neither')
  const [tally, ...others] = await tallyVotes(home.db, 'pneumonia')
  assert.deepEqual(others, [])
  assert.deepEqual([tally?.a, tally?.b, tally?.votes, tally?.sure], [a.id, b.id, 4, 0])
  assert.deepEqual(tally?.preferred, { a: 2, b: 1, alike: 0, neither: 1 })

  const id = idOf(await begin(6))
  const reading = await getBlindReading(home.db, id)
  await step(id, 'read', { label: reading.a.label })
  await step(id, 'vote', { preference: 'alike' })
  const { items } = await jsonOf<{ items: { sure: number; aRight: number; bRight: number }[] }>(
    await call('/api/v1/conditions/pneumonia/votes'),
  )
  const bRight = reading.b.label === reading.a.label ? 1 : 0
  assert.deepEqual([items[0]?.sure, items[0]?.aRight, items[0]?.bRight], [1, 1, bRight])
  const list = await (await call('/conditions/pneumonia/votes', { headers: HTML })).text()
  assert.match(list, /Votes on alpha-net@1 and omega-net@1/)
})

test('with htmx the page goes to the blinded reading, and what cannot be read blindly is refused', async (t) => {
  const { call, a, b, begin } = await withTwo(t)
  assert.equal((await begin(1, { a: a.id, b: a.id })).status, 409)
  const body = imageForm({
    image: await image(2),
    condition: 'pneumonia',
    a: a.id,
    b: b.id,
    blind: 'on',
  })
  const headers = { accept: 'text/html', 'hx-request': 'true', 'hx-request-type': 'partial' }
  const response = await call('/compare', { method: 'POST', headers, body })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('hx-redirect') ?? '', /^\/compare\/blind\/bl_/)
  assert.equal((await call('/compare/blind/bl_nothing')).status, 404)
  const nowhere = jsonBody({})
  assert.equal((await call('/compare/blind/bl_nothing/vote', nowhere)).status, 404)
})
