// Activation and rollback: the steps, the refusals, the history, and active.json following the truth.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { AppError } from '../../src/errors.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { listHistory } from '../../src/registry/activation/activations.ts'
import { rollbackCondition } from '../../src/registry/activation/rollback.ts'
import { patchCondition } from '../../src/registry/conditions/condition-settings.ts'
import { getCondition } from '../../src/registry/conditions/conditions.ts'
import type { RegistryContext } from '../../src/registry/home/registry-context.ts'
import { packageDir } from '../../src/registry/home/store.ts'
import { verifyAll } from '../../src/registry/versions/verify-all.ts'
import { getVersion, type Version } from '../../src/registry/versions/versions.ts'
import { ANNA, openApplication } from '../support/registry.ts'

const PNEUMONIA = 'pneumonia'

function activate(ctx: RegistryContext, version: Version, more: { force?: boolean } = {}) {
  const request = { condition: PNEUMONIA, version, reason: 'because', ...ANNA, ...more }
  return activateVersion(ctx, request)
}

function rollback(ctx: RegistryContext, to?: Version) {
  return rollbackCondition(ctx, { condition: PNEUMONIA, to, reason: 'worse', ...ANNA })
}

async function history(ctx: RegistryContext) {
  return (await listHistory(ctx.db, { condition: PNEUMONIA })).items
}

async function pointer(ctx: RegistryContext): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(ctx.store.modelsDir, PNEUMONIA, 'active.json'), 'utf8'))
}

test('an activation has the members of the contract and its precision, and every step in its order', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const version = await register()
  const { activation, changed } = await activate(ctx, version)
  assert.equal(changed, true)
  const { id, at, steps, ...rest } = activation
  assert.match(id, /^[\w-]+$/)
  assert.equal(new Date(at).toISOString(), at)
  assert.deepEqual(rest, {
    condition: PNEUMONIA,
    version: 'pneumonia/tiny-quick@1',
    sha256: version.sha256,
    previous: null,
    by: 'anna',
    via: 'api',
    reason: 'because',
    outcome: 'activated',
    precision: 'float32',
  })
  assert.deepEqual(
    steps.map((step) => [step.name, step.ok]),
    ['manifest', 'load', 'golden', 'metrics', 'pointer'].map((name) => [name, true]),
  )
  assert.equal(gate.answering.get(PNEUMONIA), version.id)
  const since = activation.at
  const { active } = await getCondition(ctx.db, PNEUMONIA)
  const { sha256 } = version
  const ok = { state: 'ok', pointer: 'ok' } as const
  assert.deepEqual(active, { version: version.id, sha256, since, ...ok, activation: id })
  assert.deepEqual(await pointer(ctx), {
    schema: 1,
    version: version.id,
    sha256,
    activation: id,
    since,
  })
})

test('activating what answers already adds no line', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register()
  const first = await activate(ctx, version)
  const second = await activate(ctx, version)
  assert.equal(second.changed, false)
  assert.equal(second.activation.id, first.activation.id)
  assert.equal((await history(ctx)).length, 1)
})

test('a rollback returns to the version before, and a second one to the start', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const [a, b] = [await register({ seed: 1 }), await register({ seed: 2 })]
  await activate(ctx, a)
  await activate(ctx, b)
  assert.equal((await rollback(ctx)).activation.version, a.id)
  assert.equal(gate.answering.get(PNEUMONIA), a.id)
  assert.equal((await rollback(ctx)).activation.version, b.id)
  assert.deepEqual(
    (await history(ctx)).map((line) => [line.version, line.previous]),
    [
      [b.id, a.id],
      [a.id, b.id],
      [b.id, a.id],
      [a.id, null],
    ],
  )
})

test('a rollback can name its goal and skips the metric step only', async (t) => {
  const { ctx, register } = await openApplication(t)
  const bad = await register({ seed: 1, accuracy: 0.5 })
  const [good, better] = [await register({ seed: 2 }), await register({ seed: 3 })]
  for (const version of [bad, good, better]) await activate(ctx, version)
  const { activation } = await rollback(ctx, bad)
  assert.equal(activation.version, bad.id)
  assert.deepEqual(
    activation.steps.map((step) => step.name),
    ['manifest', 'load', 'golden', 'pointer'],
  )
})

test('a rollback to what never answered is refused without a line, also to what the gate has just refused', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const [a, refused, unmeasured] = [
    await register({ seed: 1 }),
    await register({ seed: 2 }),
    await register({ seed: 3, accuracy: null }),
  ]
  await activate(ctx, a)
  gate.refusals.set(refused.id, new AppError('golden-mismatch', 'Other outputs.'))
  await assert.rejects(activate(ctx, refused), { code: 'golden-mismatch' })
  gate.refusals.delete(refused.id)
  const before = await history(ctx)
  for (const version of [refused, unmeasured]) {
    await assert.rejects(rollback(ctx, version), { code: 'never-active', status: 409 })
  }
  assert.deepEqual(await history(ctx), before)
  assert.equal(gate.answering.get(PNEUMONIA), a.id)
})

test('without an earlier version there is nothing to roll back', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register()
  await assert.rejects(rollback(ctx), { code: 'nothing-to-roll-back' })
  await activate(ctx, version)
  await assert.rejects(rollback(ctx), { code: 'nothing-to-roll-back', status: 409 })
})

test('one changed byte refuses with hash-mismatch, even forced; the old one still answers', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const [a, b] = [await register({ seed: 1 }), await register({ seed: 2 })]
  await activate(ctx, a)
  await writeFile(join(packageDir(ctx.store, b), 'models/tiny.onnx'), 'graph 3')
  await assert.rejects(activate(ctx, b, { force: true }), { code: 'hash-mismatch' })
  const [line] = await history(ctx)
  assert.equal(line?.outcome, 'refused')
  assert.deepEqual(
    line?.steps.map((step) => [step.name, step.ok]),
    [['manifest', false]],
  )
  assert.equal(gate.answering.get(PNEUMONIA), a.id)
  assert.equal((await getVersion(ctx.db, b)).status, 'quarantined')
  assert.equal((await pointer(ctx)).version, a.id)
  assert.deepEqual(gate.prepared, [a.id])
})

for (const [code, step] of [
  ['load-failed', 'load'],
  ['golden-mismatch', 'golden'],
] as const) {
  test(`${code} is never forced and is a refused line with the step ${step}`, async (t) => {
    const { ctx, gate, register } = await openApplication(t)
    const [a, b] = [await register({ seed: 1 }), await register({ seed: 2 })]
    await activate(ctx, a)
    gate.refusals.set(b.id, new AppError(code, 'It does not work.'))
    await assert.rejects(activate(ctx, b, { force: true }), { code, message: 'It does not work.' })
    const [line] = await history(ctx)
    assert.equal(line?.outcome, 'refused')
    const last = line?.steps.at(-1)
    assert.deepEqual([last?.name, last?.ok, last?.detail], [step, false, 'It does not work.'])
    assert.equal((await getCondition(ctx.db, PNEUMONIA)).active?.version, a.id)
  })
}

test('a version that is worse by more than the margin needs force and a reason', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const good = await register({ seed: 1, accuracy: 0.9 })
  const within = await register({ seed: 2, accuracy: 0.9 - 0.05 })
  const worse = await register({ seed: 3, accuracy: 0.9 - 0.05 - 0.06 })
  await activate(ctx, good)
  await activate(ctx, within)
  await assert.rejects(activate(ctx, worse), { code: 'gate', status: 409 })
  assert.deepEqual(gate.discarded, [worse.id])
  const nameless = { condition: PNEUMONIA, version: worse, reason: ' ', force: true, ...ANNA }
  await assert.rejects(activateVersion(ctx, nameless), { code: 'invalid' })
  const { activation } = await activate(ctx, worse, { force: true })
  const metrics = activation.steps.find((step) => step.name === 'metrics')
  assert.equal(metrics?.ok, false)
  assert.match(metrics?.detail ?? '', /worse by more than the margin of 0.05; forced/)
})

test('a version without comparable metrics is unevaluated, also as the first of its condition', async (t) => {
  const { ctx, register } = await openApplication(t)
  const blind = await register({ seed: 1, accuracy: null })
  assert.equal(blind.status, 'unevaluated')
  await assert.rejects(activate(ctx, blind), { code: 'unevaluated' })
  await activate(ctx, blind, { force: true })
  await assert.rejects(activate(ctx, await register({ seed: 2 })), { code: 'unevaluated' })
  assert.equal((await getCondition(ctx.db, PNEUMONIA)).active?.version, blind.id)
})

test('the gate compares the metric and margin of the condition', async (t) => {
  const { ctx, register } = await openApplication(t)
  const [a, b] = [await register({ seed: 1 }), await register({ seed: 2, accuracy: 0.7 })]
  await activate(ctx, a)
  const gate = { metric: 'auc', margin: 0.25 } as const
  await patchCondition(ctx.db, { id: PNEUMONIA, patch: { gate }, actor: ANNA, clock: ctx.clock })
  const { activation } = await activate(ctx, b)
  assert.match(activation.steps.find((step) => step.name === 'metrics')?.detail ?? '', /^AUC 0.7/)
})

test('unknown, foreign and deleted versions are refused without a line', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register()
  const other = await register({ seed: 2, fields: { condition: 'covid', conditionName: 'Covid' } })
  await assert.rejects(activate(ctx, { ...version, n: 9 }), { code: 'unknown-version' })
  await assert.rejects(activate(ctx, other), { code: 'unknown-version' })
  const request = { condition: 'nothing', version, reason: '', ...ANNA }
  await assert.rejects(activateVersion(ctx, request), { code: 'unknown-condition' })
  assert.deepEqual(await history(ctx), [])
})

test('when the host dies before the switch the version before it stays the truth', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const [a, b] = [await register({ seed: 1 }), await register({ seed: 2 })]
  await activate(ctx, a)
  gate.failSwitch = new Error('it is gone')
  await assert.rejects(activate(ctx, b), { code: 'load-failed' })
  assert.equal((await getCondition(ctx.db, PNEUMONIA)).active?.version, a.id)
  assert.equal((await pointer(ctx)).version, a.id)
  assert.equal((await history(ctx))[0]?.outcome, 'refused')
})

test('activations of one condition happen one after the other', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const versions = []
  for (let seed = 0; seed < 6; seed++) versions.push(await register({ seed }))
  await Promise.all(versions.map((version) => activate(ctx, version)))
  const lines = (await history(ctx)).toReversed()
  assert.deepEqual(
    lines.map((line) => line.previous),
    [null, ...versions.slice(0, -1).map((version) => version.id)],
  )
  assert.equal(gate.answering.get(PNEUMONIA), versions.at(-1)?.id)
})

test('a damaged active version is marked, and is ok again once its files are intact', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register()
  await activate(ctx, version)
  const graph = join(packageDir(ctx.store, version), 'models/tiny.onnx')
  const bytes = await readFile(graph)
  await writeFile(graph, 'graph 9')
  await assert.rejects(activate(ctx, await register({ seed: 2, accuracy: 0.1 })), { code: 'gate' })
  await verifyAll(ctx)
  assert.equal((await getCondition(ctx.db, PNEUMONIA)).active?.state, 'damaged')
  await assert.rejects(activate(ctx, version), { code: 'hash-mismatch' })
  await writeFile(graph, bytes)
  assert.equal((await activate(ctx, version)).changed, false)
  assert.equal((await getCondition(ctx.db, PNEUMONIA)).active?.state, 'ok')
})
