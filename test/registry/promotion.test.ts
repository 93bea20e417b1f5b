// The rule of promotion: how it judges evidence, that it acts once, through the whole gate, and leaves a line that says why.
import assert from 'node:assert/strict'
import test from 'node:test'
import { AppError } from '../../src/errors.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { listHistory } from '../../src/registry/activation/activations.ts'
import { setChallenger } from '../../src/registry/challenger/challenger.ts'
import {
  challengerEvidence,
  findChallenge,
  storePair,
} from '../../src/registry/challenger/challenger-evidence.ts'
import { promoteByRule } from '../../src/registry/challenger/promote-challenger.ts'
import {
  findPromotionRule,
  setPromotionRule,
} from '../../src/registry/challenger/promotion-rule.ts'
import { listChanges } from '../../src/registry/conditions/changes.ts'
import { getCondition } from '../../src/registry/conditions/conditions.ts'
import { addFeedback } from '../../src/registry/predictions/feedback.ts'
import { storePrediction } from '../../src/registry/predictions/predictions.ts'
import { pairedDifference, unpairedDifference } from '../../src/statistics/non-inferiority.ts'
import { aPrediction } from '../support/prediction.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

type Mode = 'shadow' | 'split'

async function challenged(home: TestHome, mode: Mode = 'shadow') {
  const { ctx } = home
  const [a, b] = [await home.register({ seed: 1 }), await home.register({ seed: 2 })]
  await activateVersion(ctx, { condition: 'pneumonia', version: a, reason: '', ...ANNA })
  const challenger = { version: b, mode, ...(mode === 'split' && { share: 0.5 }) }
  await setChallenger(ctx, { condition: 'pneumonia', challenger, actor: ANNA })
  const challenge = await findChallenge(ctx.db, 'pneumonia')
  assert.ok(challenge)
  const expiresAt = new Date(Date.now() + 60_000).toISOString()
  /** A case that shows PNEUMONIA: who is right about it. */
  const shadowCase = async (right: { active: boolean; challenger: boolean }, image?: string) => {
    const same = image === undefined ? {} : { image }
    const p = (isRight: boolean): number => (isRight ? 0.9 : 0.1)
    const prediction = aPrediction({ version: a, positive: p(right.active), ...same })
    const other = aPrediction({ version: b, positive: p(right.challenger), ...same })
    await storePrediction(ctx.db, { prediction, heatmap: null, imageFile: null, expiresAt })
    const at = ctx.clock().toISOString()
    await storePair(ctx.db, { challenge: challenge.id, prediction, challenger: other, at })
    await say(prediction.id, right.active ? 'agree' : 'disagree')
  }
  const splitCase = async (role: 'active' | 'challenger', isRight: boolean, image?: string) => {
    const same = image === undefined ? {} : { image }
    const version = role === 'active' ? a : b
    const prediction = aPrediction({ version, positive: 0.9, role, ...same })
    await storePrediction(ctx.db, { prediction, heatmap: null, imageFile: null, expiresAt })
    await say(prediction.id, isRight ? 'agree' : 'disagree')
  }
  const say = (prediction: string, verdict: 'agree' | 'disagree') =>
    addFeedback(ctx.db, { prediction, verdict, by: 'anna', clock: ctx.clock })
  return { a, b, shadowCase, splitCase }
}

function setRule({ ctx }: TestHome, rule: { minCases: number; margin: number } | null) {
  const { db, clock } = ctx
  const reason = 'we trust ten readers'
  return setPromotionRule(db, { condition: 'pneumonia', rule, reason, actor: ANNA, clock })
}

test('the lower ends of the intervals are those of the published formulas', () => {
  // Agresti and Min 2005: with (b, c, n) = (5, 9, 100) the cells grow by a half each.
  const n = 102
  const d = (9.5 - 5.5) / n
  const se = Math.sqrt((9.5 + 5.5) / n ** 2 - d ** 2 / n)
  const paired = pairedDifference({ n: 100, b: 5, c: 9 })
  assert.equal(paired.seen, 4 / 100)
  assert.ok(Math.abs(paired.lower - (d - 1.959964 * se)) < 1e-12)
  // Agresti and Caffo 2000: a case right and one wrong are added to both.
  const [p1, p2] = [51 / 62, 44 / 52]
  const spread = Math.sqrt((p1 * (1 - p1)) / 62 + (p2 * (1 - p2)) / 52)
  const unpaired = unpairedDifference({ n: 60, right: 50 }, { n: 50, right: 43 })
  assert.ok(Math.abs(unpaired.seen - (43 / 50 - 50 / 60)) < 1e-12)
  assert.ok(Math.abs(unpaired.lower - (p2 - p1 - 1.959964 * spread)) < 1e-12)
  assert.equal(pairedDifference({ n: 0, b: 0, c: 0 }).seen, 0)
})

test('enough cases that are not worse promote the challenger through the gate, with the evidence in the line', async (t) => {
  const home = await openApplication(t)
  const { a, b, shadowCase } = await challenged(home)
  await setRule(home, { minCases: 20, margin: 0.15 })
  for (let i = 0; i < 19; i++) await shadowCase({ active: i % 10 > 0, challenger: true })
  assert.equal(await promoteByRule(home.ctx, 'pneumonia'), undefined, '19 are not 20')
  await shadowCase({ active: true, challenger: true })
  const promoted = await promoteByRule(home.ctx, 'pneumonia')
  assert.equal(promoted?.activation.version, b.id)
  const [line] = (await listHistory(home.ctx.db, { condition: 'pneumonia' })).items
  assert.deepEqual(
    [line?.via, line?.by, line?.previous, line?.outcome],
    ['policy', 'promotion rule', a.id, 'activated'],
  )
  assert.match(line?.reason ?? '', /rule of anna: we trust ten readers/)
  assert.deepEqual(
    line?.steps.map((step) => step.name),
    ['evidence', 'manifest', 'load', 'golden', 'metrics', 'pointer'],
  )
  assert.match(line?.steps[0]?.detail ?? '', /^20 cases, 20 asked; fraction right \+0\.1000 /)
  assert.equal((await getCondition(home.ctx.db, 'pneumonia')).challenger, null)
})

test('a challenger that may be worse by more than the margin is not promoted, however many cases', async (t) => {
  const home = await openApplication(t)
  const { a, shadowCase } = await challenged(home)
  await setRule(home, { minCases: 10, margin: 0.05 })
  // As good as the active one, but thirty cases cannot exclude a difference of five in a hundred.
  for (let i = 0; i < 30; i++) await shadowCase({ active: i % 6 > 0, challenger: i % 6 < 5 })
  assert.equal(await promoteByRule(home.ctx, 'pneumonia'), undefined)
  assert.equal((await getCondition(home.ctx.db, 'pneumonia')).active?.version, a.id)
})

test('with a split each answers images of its own, and both need their cases', async (t) => {
  const home = await openApplication(t)
  const { b, splitCase } = await challenged(home, 'split')
  await setRule(home, { minCases: 30, margin: 0.2 })
  for (let i = 0; i < 30; i++) await splitCase('challenger', true)
  assert.equal(await promoteByRule(home.ctx, 'pneumonia'), undefined)
  for (let i = 0; i < 30; i++) await splitCase('active', i % 10 > 0)
  assert.equal((await promoteByRule(home.ctx, 'pneumonia'))?.activation.version, b.id)
})

test('one image sent many times is one case, in shadow and in a split', async (t) => {
  const image = 'd'.repeat(64)
  const shadow = await openApplication(t)
  const inShadow = await challenged(shadow)
  await setRule(shadow, { minCases: 2, margin: 1 })
  for (let i = 0; i < 34; i++) await inShadow.shadowCase({ active: false, challenger: true }, image)
  assert.equal(await promoteByRule(shadow.ctx, 'pneumonia'), undefined, '34 copies are one case')
  const challenge = await findChallenge(shadow.ctx.db, 'pneumonia')
  assert.ok(challenge)
  const evidence = await challengerEvidence(shadow.ctx.db, { challenge, active: inShadow.a.id })
  assert.deepEqual([evidence.pairs, evidence.truth.n, evidence.disagreementCount], [1, 1, 1])
  assert.equal(evidence.disagreements.length, 1)
  await inShadow.shadowCase({ active: false, challenger: true })
  assert.ok(await promoteByRule(shadow.ctx, 'pneumonia'), 'a second image is a second case')

  const split = await openApplication(t)
  const inSplit = await challenged(split, 'split')
  await setRule(split, { minCases: 2, margin: 1 })
  await inSplit.splitCase('active', true)
  await inSplit.splitCase('active', true)
  for (let i = 0; i < 34; i++) await inSplit.splitCase('challenger', i > 0, image)
  assert.equal(await promoteByRule(split.ctx, 'pneumonia'), undefined)
  const running = await findChallenge(split.ctx.db, 'pneumonia')
  assert.ok(running)
  const shown = await challengerEvidence(split.ctx.db, { challenge: running, active: inSplit.a.id })
  // The newest verdict on the image stands.
  assert.deepEqual(shown.arms?.[1], {
    version: inSplit.b.id,
    role: 'challenger',
    predictions: 34,
    agree: 1,
    disagree: 0,
    unsure: 0,
  })
})

test('what the gate refuses is refused once, with a line, although the rule stays met', async (t) => {
  const home = await openApplication(t)
  const { a, b, shadowCase } = await challenged(home)
  home.gate.refusals.set(b.id, new AppError('golden-mismatch', 'Other outputs.'))
  await setRule(home, { minCases: 1, margin: 1 })
  await shadowCase({ active: true, challenger: true })
  assert.equal(await promoteByRule(home.ctx, 'pneumonia'), undefined)
  assert.equal(await promoteByRule(home.ctx, 'pneumonia'), undefined)
  const lines = (await listHistory(home.ctx.db, { condition: 'pneumonia' })).items
  assert.deepEqual(
    lines.map((line) => [line.version, line.outcome]),
    [
      [b.id, 'refused'],
      [a.id, 'activated'],
    ],
  )
  const challenge = await findChallenge(home.ctx.db, 'pneumonia')
  assert.deepEqual(challenge?.promotion, { outcome: 'refused', activation: lines[0]?.id })
})

test('a rule is a row with who and why; a new one ends the one before, and none can be wrong', async (t) => {
  const home = await openApplication(t)
  await challenged(home)
  const { db, clock } = home.ctx
  await setRule(home, { minCases: 10, margin: 0.05 })
  await setRule(home, { minCases: 50, margin: 0 })
  const { minCases, by, via, reason } = (await findPromotionRule(db, 'pneumonia')) ?? {}
  assert.deepEqual([minCases, by, via, reason], [50, 'anna', 'api', 'we trust ten readers'])
  assert.equal(await setRule(home, null), null)
  assert.equal(await findPromotionRule(db, 'pneumonia'), undefined)
  const rows = (await listChanges(db, 'pneumonia')).filter((row) => row.field === 'promotionRule')
  assert.equal(rows.length, 3)
  assert.equal((await db.selectFrom('promotion_rules').selectAll().execute()).length, 2)
  for (const rule of [
    { minCases: 0, margin: 0.1 },
    { minCases: 1.5, margin: 0.1 },
    { minCases: 1, margin: -0.1 },
    { minCases: 1, margin: Number.NaN },
  ]) {
    await assert.rejects(setRule(home, rule), { code: 'invalid' })
  }
  const rest = { condition: 'pneumonia', actor: ANNA, clock }
  const silent = { ...rest, rule: { minCases: 1, margin: 0 }, reason: ' ' }
  await assert.rejects(setPromotionRule(db, silent), { code: 'invalid' })
  await assert.rejects(setPromotionRule(db, { ...silent, condition: 'no', reason: 'x' }), {
    code: 'unknown-condition',
  })
})
