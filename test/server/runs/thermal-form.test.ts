// A training that spares the machine, as the form and the command line ask for it and as the page of the run shows it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { coolingOf } from '../../../src/cli/training/thermal-options.ts'
import { isAppError } from '../../../src/errors.ts'
import { runRequestOf } from '../../../src/server/runs/run-form.ts'
import { checkHyperparameters } from '../../../src/training/run-checks.ts'
import { runPanel } from '../../../views/runs/show.ts'
import { coolingSettings } from '../../../views/runs/thermal.ts'
import { run, runProps } from '../../views/training-samples.ts'

const CHOSEN = { 'dataset:a': 'on', 'architecture:tiny_cnn': 'on', 'preset:quick': 'on' }
const requestOf = (fields: Record<string, string>) =>
  runRequestOf(new Map(Object.entries({ ...CHOSEN, ...fields }))) as {
    hyperparameters: Record<string, unknown>
  }

test('empty fields keep what the server is set to; others are settings of the run', () => {
  assert.deepEqual(requestOf({ 'cooling.threads': '' }).hyperparameters, {})
  const fields = {
    'cooling.pauseAboveCelsius': '75',
    'cooling.dutyPercent': '60',
    'cooling.threads': '2',
  }
  const { hyperparameters } = requestOf(fields)
  assert.deepEqual(hyperparameters, {
    cooling: { pauseAboveCelsius: 75, dutyCycle: 0.6, threads: 2 },
  })
  checkHyperparameters(hyperparameters)
})

test('what cannot be is refused with the field', () => {
  const refused = (fields: Record<string, string>, pattern: RegExp) =>
    assert.throws(
      () => checkHyperparameters(requestOf(fields).hyperparameters),
      (error) => isAppError(error) && pattern.test(error.message),
    )
  refused({ 'cooling.dutyPercent': '5' }, /cooling\.dutyCycle/)
  refused({ 'cooling.threads': 'many' }, /cooling\.threads/)
  refused({ 'cooling.pauseAboveCelsius': '500' }, /cooling\.pauseAboveCelsius/)
})

test('every field of the form is read, and keeps what was sent', () => {
  const names = [...String(coolingSettings(new Map())).matchAll(/ name="(cooling\.\w+)"/g)].map(
    (match) => match[1] ?? '',
  )
  assert.equal(names.length, 7)
  for (const name of names) {
    const { hyperparameters } = requestOf({ [name]: '50' })
    assert.equal(Object.keys(hyperparameters.cooling ?? {}).length, 1, name)
    assert.match(String(coolingSettings(new Map([[name, '51']]))), /value="51"/)
  }
})

test('the command line gives the same settings', () => {
  assert.equal(coolingOf({}), undefined)
  assert.deepEqual(coolingOf({ pauseAbove: 75, goOnBelow: 60, dutyCycle: 60, threads: 2 }), {
    pauseAboveCelsius: 75,
    goOnBelowCelsius: 60,
    dutyCycle: 0.6,
    threads: 2,
  })
})

test('the page of a run shows use against target, temperature, breaks and the time that they cost', () => {
  const use = {
    ...{ cpuCores: 1.62, targetCores: 2, sensors: 3, cpuCelsius: 83.4, gpuCelsius: null },
    ...{ breaks: 2, lostSeconds: 61 },
  }
  const hyperparameters = { cooling: { pauseAboveCelsius: 75, dutyCycle: 0.6 } }
  const shown = { ...run, hyperparameters, progress: { ...run.progress, use } }
  const html = String(runPanel({ ...runProps, run: shown }))
  assert.match(html, /1\.6<\/span> of 2\.0 that it may/)
  assert.match(html, /processor 83 °C, 2 cooling breaks/)
  assert.match(html, /Time lost to sparing the machine[\s\S]*1 min 1 s/)
  assert.match(html, /pause above 75 °C, duty cycle 60 %/)
  const without = { ...shown, progress: { ...run.progress, use: { ...use, sensors: 0 } } }
  assert.match(String(runPanel({ ...runProps, run: without })), /no sensor on this machine/)
})
