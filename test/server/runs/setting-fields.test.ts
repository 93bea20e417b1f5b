// A hyperparameter is declared once; form, request, command line and reference follow.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { z } from 'zod'
import { readConfig } from '../../../src/config.ts'
import { runRequestOf } from '../../../src/server/runs/run-form.ts'
import { NewRunSchema } from '../../../src/server/runs/schema.ts'
import { AugmentationSchema, HyperparametersSchema } from '../../../src/training/hyperparameters.ts'
import { checkHyperparameters } from '../../../src/training/run-checks.ts'
import { fieldsOf, setting } from '../../../src/training/setting-fields.ts'
import { TRAINING_FIELDS } from '../../../src/training/settings.ts'
import { settingsDocument } from '../../../src/training/settings-document.ts'
import { ThermalSchema } from '../../../src/training/thermal/settings.ts'
import { trainingPage } from '../../../views/runs/form.ts'
import { trainingProps } from '../../views/training-samples.ts'

const TICKED = { 'dataset:a': 'on', 'architecture:tiny_cnn': 'on', 'preset:quick': 'on' }

test('every hyperparameter is declared with label and hint', () => {
  const names = [
    ...Object.keys(HyperparametersSchema.shape),
    ...Object.keys(AugmentationSchema.shape).map((name) => `augmentation.${name}`),
    ...Object.keys(ThermalSchema.shape).map((name) => `thermal.${name}`),
  ]
  assert.deepEqual(TRAINING_FIELDS.map(({ path }) => path).toSorted(), names.toSorted())
  assert.ok(TRAINING_FIELDS.every(({ label, hint }) => label !== '' && hint !== ''))
})

test('every setting has one field in the form, and what the form sends is a valid request', () => {
  const html = String(trainingPage(trainingProps))
  for (const one of TRAINING_FIELDS) {
    assert.equal(html.split(` name="${one.path}"`).length, 2, one.path)
    const { kind, range, isPercent } = one
    const text =
      kind === 'check'
        ? one.check
        : kind === 'choice'
          ? Object.keys(one.choices ?? {})[0]
          : undefined
    const value = text ?? (range ? String((isPercent ? 100 : 1) * range.max) : 'imagenet')
    const { hyperparameters } = runRequestOf(
      new Map(Object.entries({ ...TICKED, [one.path]: value })),
    )
    const checked = checkHyperparameters(hyperparameters as Record<string, unknown>)
    assert.equal(Object.keys(checked).length, 1, one.path)
    if (!range) continue
    const above = String((isPercent ? 100 : 1) * (range.max + 1))
    const wrong = runRequestOf(new Map(Object.entries({ ...TICKED, [one.path]: above })))
    if (range.max === Number.MAX_SAFE_INTEGER) continue
    assert.throws(
      () => checkHyperparameters(wrong.hyperparameters as Record<string, unknown>),
      /is wrong/,
    )
  }
})

test('a setting that is declared anew is described whole', () => {
  const clip = setting(z.number().positive().max(100).nullable().default(null), {
    ...{ label: 'Gradient clipping', hint: 'Largest norm.', otherwise: 'off', group: 'learning' },
  })
  assert.deepEqual(fieldsOf(z.strictObject({ clip })), [
    {
      ...{ label: 'Gradient clipping', hint: 'Largest norm.', otherwise: 'off', group: 'learning' },
      ...{ path: 'clip', kind: 'number', range: { min: 0, max: 100, isWhole: false }, usual: null },
    },
  ])
})

test('a decimal comma is read, a word for a number is refused', () => {
  const given = (learningRate: string) =>
    runRequestOf(new Map(Object.entries({ ...TICKED, learningRate }))).hyperparameters
  assert.deepEqual(given('0,003'), { learningRate: 0.003 })
  assert.throws(
    () => checkHyperparameters(given('fast') as Record<string, unknown>),
    /learningRate/,
  )
})

test('disabling augmentation wins over its amounts', () => {
  const fields = { ...TICKED, augmentation: 'null', 'augmentation.shift': '0.1' }
  assert.deepEqual(runRequestOf(new Map(Object.entries(fields))).hyperparameters, {
    augmentation: null,
  })
})

test('the reference of hyperparameters is what the code declares', () => {
  const file = new URL('../../../docs/reference/hyperparameters.md', import.meta.url)
  const text = readFileSync(file, 'utf8')
  assert.equal(text, settingsDocument(), 'run: node scripts/hyperparameters.ts')
})

test('the former names of the temperature settings are read where the present ones are not set', () => {
  const { thermal } = readConfig({ ROENTGEN_CPU_GO_ON_BELOW: '61', ROENTGEN_GPU_GO_ON_BELOW: '62' })
  assert.deepEqual([thermal.resumeBelowCelsius, thermal.gpuResumeBelowCelsius], [61, 62])
  const both = { ROENTGEN_CPU_GO_ON_BELOW: '61', ROENTGEN_CPU_RESUME_BELOW: '63' }
  assert.equal(readConfig(both).thermal.resumeBelowCelsius, 63)
  assert.throws(() => readConfig({ ROENTGEN_CPU_GO_ON_BELOW: 'cold' }), /ROENTGEN_CPU_RESUME_BELOW/)
})

test('the OpenAPI schema of a run describes every hyperparameter with its range', () => {
  const { properties } = z.toJSONSchema(NewRunSchema, { io: 'input', unrepresentable: 'any' })
  const given = properties?.hyperparameters as { properties: Record<string, { maximum?: number }> }
  const names = [...Object.keys(HyperparametersSchema.shape), 'thermal']
  assert.deepEqual(Object.keys(given.properties).toSorted(), names.toSorted())
  assert.equal(given.properties.epochs?.maximum, 1000)
})
