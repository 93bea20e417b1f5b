// Who has seen the registry name a new version is answered by it, also in the moment before requests are switched.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { ConditionSchema } from '../../src/server/conditions/schema.ts'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  type OpenedHome,
  openedHome,
  storePackage,
} from '../support/home.ts'

/** Between commit and switch; far longer than it takes, far below the patience of a request. */
const GAP_MS = 100
const BOUND_MS = 30_000

function widenGap({ home }: OpenedHome): void {
  const { gate } = home
  const prepare = gate.prepare.bind(gate)
  gate.prepare = async (...wanted) => {
    const prepared = await prepare(...wanted)
    const switchTo = async (id: string): Promise<void> => {
      await after(GAP_MS)
      await prepared.switchTo(id)
    }
    return { ...prepared, switchTo }
  }
}

test('a reading after the registry names a version is given by that version, never by the one before', async (t) => {
  const folders = await homeFolders(t)
  const ids = [
    (await storePackage(folders, { seed: 1, accuracy: 0.9 })).id,
    (await storePackage(folders, { seed: 2, accuracy: 0.9 })).id,
  ]
  const opened = await openedHome(folders)
  const { call } = opened
  const activate = (version: string | undefined) =>
    call('/api/v1/conditions/pneumonia/activate', jsonBody({ version, reason: 'next' }))
  assert.equal((await activate(ids[0])).status, 200)
  widenGap(opened)
  const bytes = await image(7)
  for (let turn = 1; turn <= 4; turn++) {
    const wanted = ids[turn % 2]
    const activation = activate(wanted)
    const until = performance.now() + BOUND_MS
    for (;;) {
      const answer = await call('/api/v1/conditions/pneumonia')
      const { active } = ConditionSchema.parse(await answer.json())
      if (active?.version === wanted) break
      assert.ok(performance.now() < until, 'the activation is never seen')
      // To the event loop, not only to the next microtask: else the activation gets no turn.
      await after(1)
    }
    const form = imageForm({ image: bytes, condition: 'pneumonia', explain: 'none' })
    const answer = await call('/api/v1/predict', { method: 'POST', body: form })
    assert.equal(PredictionSchema.parse(await answer.json()).version, wanted)
    assert.equal((await activation).status, 200)
  }
})
