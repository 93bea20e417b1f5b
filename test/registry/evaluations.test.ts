// Evaluations beside a package: what they make of a version without figures, and what the gate makes of them.
import assert from 'node:assert/strict'
import test from 'node:test'
import { AppError } from '../../src/errors.ts'
import type { Metrics } from '../../src/package/schema.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import type { RegistryContext } from '../../src/registry/home/registry-context.ts'
import {
  addEvaluation,
  getEvaluation,
  listEvaluations,
  MIN_EVIDENCE,
} from '../../src/registry/versions/evaluations.ts'
import { verifyAll } from '../../src/registry/versions/verify-all.ts'
import { getVersion, type Version } from '../../src/registry/versions/versions.ts'
import { ANNA, openApplication } from '../support/registry.ts'

function metrics(accuracy: number, more: Partial<Metrics> = {}): Metrics {
  const all = { balancedAccuracy: accuracy, auc: accuracy, sensitivity: accuracy }
  return { accuracy, ...all, specificity: accuracy, f1: accuracy, n: 60, testSet: 'away', ...more }
}

function evaluated(ctx: RegistryContext, version: Version, found: Metrics) {
  return addEvaluation(ctx.db, {
    version,
    dataset: 'chest-b',
    split: 'all',
    metrics: found,
    report: { warnings: [] },
    actor: ANNA,
    clock: ctx.clock,
  })
}

function activate(ctx: RegistryContext, version: Version) {
  return activateVersion(ctx, { condition: 'pneumonia', version, reason: 'because', ...ANNA })
}

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof AppError && error.code === code

test('a version without figures becomes verified, and may answer, by an evaluation', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register({ accuracy: null })
  assert.equal(version.status, 'unevaluated')
  await assert.rejects(activate(ctx, version), refusedWith('unevaluated'))
  const kept = await evaluated(ctx, version, metrics(0.8))
  assert.equal(kept.isEvidence, true)
  assert.equal((await getVersion(ctx.db, version)).status, 'verified')
  assert.deepEqual(await listEvaluations(ctx.db, version), [kept])
  await verifyAll(ctx)
  assert.equal(
    (await getVersion(ctx.db, version)).status,
    'verified',
    'after all files were hashed',
  )
  const { activation } = await activate(ctx, await getVersion(ctx.db, version))
  assert.match(
    activation.steps.find(({ name }) => name === 'metrics')?.detail ?? '',
    /on 60 images/,
  )
})

test('few images, or images of one kind only, prove nothing', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register({ accuracy: null })
  const few = await evaluated(ctx, version, metrics(1, { n: MIN_EVIDENCE - 1 }))
  const oneKind = await evaluated(ctx, version, metrics(1, { specificity: null }))
  assert.deepEqual([few.isEvidence, oneKind.isEvidence], [false, false])
  assert.equal((await getVersion(ctx.db, version)).status, 'unevaluated')
  await assert.rejects(activate(ctx, version), refusedWith('unevaluated'))
})

test('two versions that were measured on different images are judged by images that both were evaluated on', async (t) => {
  const { ctx, register } = await openApplication(t)
  const first = await register({ seed: 1, accuracy: 0.9 })
  await activate(ctx, first)
  const other = await register({ seed: 2, accuracy: null })
  await evaluated(ctx, other, metrics(0.7))
  await assert.rejects(activate(ctx, other), /measured on different test sets/)
  await evaluated(ctx, first, metrics(0.95))
  await assert.rejects(activate(ctx, other), refusedWith('gate'))
  await evaluated(ctx, first, metrics(0.71, { testSet: 'third' }))
  await evaluated(ctx, other, metrics(0.72, { testSet: 'third' }))
  const { activation } = await activate(ctx, other)
  assert.equal(activation.outcome, 'activated')
  assert.match(
    activation.steps.find(({ name }) => name === 'metrics')?.detail ?? '',
    /0\.7200 against 0\.7100/,
  )
})

test('an evaluation is asked for by the version that it is of', async (t) => {
  const { ctx, register } = await openApplication(t)
  const [one, other] = [await register({ seed: 1 }), await register({ seed: 2 })]
  const kept = await evaluated(ctx, one, metrics(0.8))
  assert.deepEqual(await getEvaluation(ctx.db, { version: one, id: kept.id }), kept)
  await assert.rejects(
    getEvaluation(ctx.db, { version: other, id: kept.id }),
    refusedWith('not-found'),
  )
})
