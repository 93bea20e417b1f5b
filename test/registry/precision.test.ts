// Which precision an activation is for, in the registry: what is asked, what the gate chose, what the history and a rollback say.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Metrics } from '../../src/package/schema.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { listHistory } from '../../src/registry/activation/activations.ts'
import { rollbackCondition } from '../../src/registry/activation/rollback.ts'
import type { RegistryContext } from '../../src/registry/home/registry-context.ts'
import { listActive } from '../../src/registry/versions/verify-all.ts'
import { inPrecision, type WantedPrecision } from '../../src/registry/versions/version-precision.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { ANNA, openApplication } from '../support/registry.ts'

const PNEUMONIA = 'pneumonia'
const POINT = { name: 'youden', thresholds: { PNEUMONIA: 0.3 }, sensitivity: 0.9, specificity: 0.9 }

function figures(accuracy: number): Metrics {
  const same = { balancedAccuracy: accuracy, auc: accuracy, f1: accuracy }
  const rates = { sensitivity: accuracy, specificity: accuracy }
  return { accuracy, ...same, ...rates, n: 200, testSet: 'test-set-1' }
}

/** A package that also holds int8, with figures of its own. */
const withInt8 = (accuracy: number) => ({
  fields: { int8: { calibration: null, operatingPoints: [POINT], metrics: figures(accuracy) } },
})

function activate(ctx: RegistryContext, version: Version, precision?: WantedPrecision) {
  const request = { condition: PNEUMONIA, version, reason: 'because', precision, ...ANNA }
  return activateVersion(ctx, request)
}

test('what auto comes out as is recorded, and listed for a restart', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const version = await register({ accuracy: 0.9, ...withInt8(0.9) })
  gate.faster = 'int8'
  assert.equal((await activate(ctx, version)).activation.precision, 'int8')
  assert.deepEqual(
    (await listActive(ctx.db)).map((one) => one.precision),
    ['int8'],
  )
  gate.faster = 'float32'
  const again = await activate(ctx, version, 'auto')
  assert.deepEqual([again.changed, again.activation.precision], [false, 'int8'])
})

test('a version without int8 is activated in float32, and refused in int8 without a line', async (t) => {
  const { ctx, gate, register } = await openApplication(t)
  const version = await register({ accuracy: 0.9 })
  gate.faster = 'int8'
  await assert.rejects(activate(ctx, version, 'int8'), { code: 'conflict' })
  assert.equal((await activate(ctx, version)).activation.precision, 'float32')
  const { items } = await listHistory(ctx.db, { condition: PNEUMONIA })
  assert.equal(items.length, 1)
})

test('the gate compares the figures of the graph that will answer', async (t) => {
  const { ctx, register } = await openApplication(t)
  const good = await register({ accuracy: 0.9 })
  const reduced = await register({ seed: 2, accuracy: 0.9, ...withInt8(0.8) })
  await activate(ctx, good)
  await assert.rejects(activate(ctx, reduced, 'int8'), { code: 'gate' })
  const { items } = await listHistory(ctx.db, { condition: PNEUMONIA })
  assert.deepEqual([items[0]?.outcome, items[0]?.precision], ['refused', 'int8'])
  assert.equal((await activate(ctx, reduced, 'float32')).activation.precision, 'float32')
})

test('a rollback returns to the precision of the line before, or to the last one of the version named', async (t) => {
  const { ctx, register } = await openApplication(t)
  const a = await register({ accuracy: 0.9, ...withInt8(0.9) })
  const b = await register({ seed: 2, accuracy: 0.9 })
  await activate(ctx, a, 'float32')
  await activate(ctx, a, 'int8')
  await activate(ctx, b)
  const back = async (to?: Version) => {
    const request = { condition: PNEUMONIA, to, reason: 'worse', ...ANNA }
    const { activation } = await rollbackCondition(ctx, request)
    return [activation.version, activation.precision]
  }
  assert.deepEqual(await back(), [a.id, 'int8'])
  assert.deepEqual(await back(), [b.id, 'float32'])
  assert.deepEqual(await back(a), [a.id, 'int8'])
})

test('a version in int8 has the calibration, thresholds and figures of that graph', async (t) => {
  const { register } = await openApplication(t)
  const version = await register({ accuracy: 0.9, ...withInt8(0.87) })
  const reduced = inPrecision(version, 'int8')
  assert.equal(reduced.metrics?.accuracy, 0.87)
  assert.deepEqual(reduced.operatingPoints, [POINT])
  assert.deepEqual(inPrecision(version, 'float32'), version)
})

test('a package whose int8 thresholds name an unknown class is refused', async (t) => {
  const { register } = await openApplication(t)
  const thresholds = { CARDIOMEGALY: 0.3 }
  const int8 = { calibration: null, operatingPoints: [{ ...POINT, thresholds }], metrics: null }
  await assert.rejects(register({ fields: { int8 } }), { code: 'invalid-package' })
})
