// Who may challenge, what a challenge leaves behind, and what its evidence counts.
import assert from 'node:assert/strict'
import test from 'node:test'
import { AppError } from '../../src/errors.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { type Challenger, setChallenger } from '../../src/registry/challenger/challenger.ts'
import {
  challengerEvidence,
  findChallenge,
  storePair,
} from '../../src/registry/challenger/challenger-evidence.ts'
import { listChanges } from '../../src/registry/conditions/changes.ts'
import { getCondition } from '../../src/registry/conditions/conditions.ts'
import { addFeedback } from '../../src/registry/predictions/feedback.ts'
import { expirePredictions, storePrediction } from '../../src/registry/predictions/predictions.ts'
import { aPrediction } from '../support/prediction.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

async function withTwo(home: TestHome) {
  const { ctx, register } = home
  const [a, b] = [await register({ seed: 1 }), await register({ seed: 2 })]
  await activateVersion(ctx, { condition: 'pneumonia', version: a, reason: '', ...ANNA })
  const set = (challenger: Challenger | null) =>
    setChallenger(ctx, { condition: 'pneumonia', challenger, actor: ANNA })
  return { a, b, set }
}

test('a challenger passes the gate, stands beside the active one and ends when it is promoted', async (t) => {
  const home = await openApplication(t)
  const { a, b, set } = await withTwo(home)
  const { db } = home.ctx
  const { challenger } = await set({ version: b, mode: 'split', share: 0.2 })
  assert.deepEqual(challenger, { version: b.id, mode: 'split', share: 0.2 })
  assert.equal(home.gate.challenging.get('pneumonia'), b.id)
  assert.equal(home.gate.answering.get('pneumonia'), a.id)
  await activateVersion(home.ctx, { condition: 'pneumonia', version: b, reason: '', ...ANNA })
  assert.equal((await getCondition(db, 'pneumonia')).challenger, null)
  assert.equal(await findChallenge(db, 'pneumonia'), undefined)
})

test('setting the same challenger again changes nothing; another mode begins a new challenge', async (t) => {
  const home = await openApplication(t)
  const { b, set } = await withTwo(home)
  await set({ version: b, mode: 'shadow' })
  const first = await findChallenge(home.ctx.db, 'pneumonia')
  await set({ version: b, mode: 'shadow' })
  assert.deepEqual(await findChallenge(home.ctx.db, 'pneumonia'), first)
  await set({ version: b, mode: 'split', share: 1 })
  assert.notEqual((await findChallenge(home.ctx.db, 'pneumonia'))?.id, first?.id)
  assert.equal((await set(null)).challenger, null)
  assert.equal(home.gate.challenging.size, 0)
  const fields = (await listChanges(home.ctx.db, 'pneumonia')).map((one) => one.field)
  assert.equal(fields.filter((one) => one === 'challenger').length, 3)
})

test('only another verified version of the condition can challenge', async (t) => {
  const home = await openApplication(t)
  const { a, b, set } = await withTwo(home)
  const unevaluated = await home.register({ seed: 3, accuracy: null })
  await assert.rejects(set({ version: a, mode: 'shadow' }), { code: 'conflict' })
  await assert.rejects(set({ version: b, mode: 'split' }), { code: 'invalid' })
  await assert.rejects(set({ version: b, mode: 'split', share: 1.5 }), { code: 'invalid' })
  await assert.rejects(set({ version: unevaluated, mode: 'shadow' }), { code: 'unevaluated' })
  await assert.rejects(set({ version: { ...b, n: 99 }, mode: 'shadow' }), {
    code: 'unknown-version',
  })
  home.gate.refusals.set(b.id, new AppError('golden-mismatch', 'other outputs'))
  await assert.rejects(set({ version: b, mode: 'shadow' }), { code: 'golden-mismatch' })
  assert.equal((await getCondition(home.ctx.db, 'pneumonia')).challenger, null)
})

test('evidence counts agreement, gap, kappa and who was right, and outlives the predictions', async (t) => {
  const home = await openApplication(t)
  const { a, b, set } = await withTwo(home)
  const { db, clock } = home.ctx
  await set({ version: b, mode: 'shadow' })
  const challenge = await findChallenge(db, 'pneumonia')
  assert.ok(challenge)
  // What the active version and the challenger say of PNEUMONIA, and what the reader says.
  const readings = [
    { active: 0.9, challenger: 0.8, verdict: 'agree' },
    { active: 0.9, challenger: 0.3, verdict: 'disagree' },
    { active: 0.2, challenger: 0.6, verdict: 'agree' },
    { active: 0.1, challenger: 0.7, verdict: 'disagree' },
    { active: 0.6, challenger: 0.4, verdict: 'unsure' },
  ] as const
  const ids: string[] = []
  for (const reading of readings) {
    const prediction = aPrediction({ version: a, positive: reading.active })
    const challenger = aPrediction({ version: b, positive: reading.challenger })
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    await storePrediction(db, { prediction, heatmap: null, imageFile: null, expiresAt })
    const at = clock().toISOString()
    await storePair(db, { challenge: challenge.id, prediction, challenger, at })
    const { verdict } = reading
    await addFeedback(db, { prediction: prediction.id, verdict, by: 'anna', clock })
    ids.push(prediction.id)
  }
  const expected = async () => {
    const evidence = await challengerEvidence(db, { challenge, active: a.id })
    assert.equal(evidence.pairs, 5)
    assert.equal(evidence.agreement, 1 / 5)
    const gap = (0.1 + 0.6 + 0.4 + 0.6 + 0.2) / 5
    assert.ok(Math.abs((evidence.meanGap ?? 0) - gap) < 1e-12)
    // po = 1/5; the active one says yes 3 of 5, the challenger 3 of 5: pe = (9 + 4) / 25
    assert.ok(Math.abs((evidence.kappa ?? 0) - (1 / 5 - 13 / 25) / (1 - 13 / 25)) < 1e-12)
    assert.deepEqual(
      evidence.disagreements.map((one) => one.prediction),
      [ids[4], ids[3], ids[2], ids[1]],
    )
    const { n, activeRight, challengerRight, accuracyDifference, mcnemar } = evidence.truth
    assert.deepEqual([n, activeRight, challengerRight, accuracyDifference], [4, 2, 3, 1 / 4])
    assert.deepEqual([mcnemar.b, mcnemar.c, mcnemar.method], [1, 2, 'exact'])
  }
  await expected()
  await expirePredictions(home.ctx, { clock: () => new Date(Date.now() + 120_000) })
  await expected()
  const against = await challengerEvidence(db, { challenge, active: 'pneumonia/tiny@77' })
  assert.equal(against.pairs, 0, 'pairs with another active version are another question')
})
