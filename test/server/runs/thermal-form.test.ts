// A training that spares the machine, as the form and the command line ask for it and as the page of the run shows it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Command } from 'commander'
import { addSettingOptions, settingsOf } from '../../../src/cli/training/setting-options.ts'
import { isAppError } from '../../../src/errors.ts'
import { runRequestOf } from '../../../src/server/runs/run-form.ts'
import { checkHyperparameters } from '../../../src/training/run-checks.ts'
import { resourceLimits } from '../../../views/runs/settings.ts'
import { runPanel } from '../../../views/runs/show.ts'
import { run, runProps, trainingProps } from '../../views/training-samples.ts'

const limits = (chosen: ReadonlyMap<string, string>) => resourceLimits({ ...trainingProps, chosen })

const CHOSEN = { 'dataset:a': 'on', 'architecture:tiny_cnn': 'on', 'preset:quick': 'on' }
const requestOf = (fields: Record<string, string>) =>
  runRequestOf(new Map(Object.entries({ ...CHOSEN, ...fields }))) as {
    hyperparameters: Record<string, unknown>
  }

test('empty fields keep what the server is set to; others are settings of the run', () => {
  assert.deepEqual(requestOf({ 'thermal.threads': '' }).hyperparameters, {})
  const fields = {
    'thermal.pauseAboveCelsius': '75',
    'thermal.dutyCycle': '60',
    'thermal.threads': '2',
  }
  const { hyperparameters } = requestOf(fields)
  assert.deepEqual(hyperparameters, {
    thermal: { pauseAboveCelsius: 75, dutyCycle: 0.6, threads: 2 },
  })
  checkHyperparameters(hyperparameters)
})

test('what cannot be is refused with the field', () => {
  const refused = (fields: Record<string, string>, pattern: RegExp) =>
    assert.throws(
      () => checkHyperparameters(requestOf(fields).hyperparameters),
      (error) => isAppError(error) && pattern.test(error.message),
    )
  refused({ 'thermal.dutyCycle': '5' }, /thermal\.dutyCycle/)
  refused({ 'thermal.threads': 'many' }, /thermal\.threads/)
  refused({ 'thermal.pauseAboveCelsius': '500' }, /thermal\.pauseAboveCelsius/)
})

test('every field of the form is read, and keeps what was sent', () => {
  const names = [...String(limits(new Map())).matchAll(/ name="(thermal\.\w+)"/g)].map(
    (match) => match[1] ?? '',
  )
  assert.equal(names.length, 7)
  for (const name of names) {
    const { hyperparameters } = requestOf({ [name]: '50' })
    assert.equal(Object.keys(hyperparameters.thermal ?? {}).length, 1, name)
    assert.match(String(limits(new Map([[name, '51']]))), /value="51"/)
  }
})

test('the command line gives the same settings, by present and former names', () => {
  const parse = (...given: string[]) => {
    const command = addSettingOptions(
      new Command('x').exitOverride().configureOutput({ writeErr() {} }),
    )
    return settingsOf(command.parse(given, { from: 'user' }).opts())
  }
  assert.deepEqual(parse(), {})
  const thermal = { pauseAboveCelsius: 75, resumeBelowCelsius: 60, dutyCycle: 0.6, threads: 2 }
  const others = ['--pause-above', '75', '--duty-cycle', '60', '--threads', '2']
  assert.deepEqual(parse('--resume-below', '60', ...others), { thermal })
  assert.deepEqual(parse('--go-on-below', '60', ...others), { thermal })
  assert.deepEqual(parse('--epochs', '3', '--learning-rate', '0.01', '--int8'), {
    ...{ epochs: 3, learningRate: 0.01, int8: true },
  })
  for (const wrong of [
    ['--epochs', '0'],
    ['--epochs', '1.5'],
    ['--duty-cycle', '5'],
    ['--threads', ''],
  ]) {
    assert.throws(() => parse(...wrong), /must be a (whole )?number from/)
  }
})

test('former names of a request are read, and both at once are refused', () => {
  const former = {
    cooling: { goOnBelowCelsius: 60, gpuGoOnBelowCelsius: 55, leastBreakSeconds: 5 },
  }
  const thermal = { resumeBelowCelsius: 60, gpuResumeBelowCelsius: 55, minBreakSeconds: 5 }
  assert.deepEqual(checkHyperparameters(former), { thermal })
  const both = [
    { cooling: { threads: 1 }, thermal: { threads: 2 } },
    { thermal: { goOnBelowCelsius: 60, resumeBelowCelsius: 61 } },
  ]
  for (const given of both) {
    assert.throws(() => checkHyperparameters(given), /There is no hyperparameter "/)
  }
})

test('the page of a run shows use against target, temperature, breaks and the time that they cost', () => {
  const use = {
    ...{ cpuCores: 1.62, targetCores: 2, sensors: 3, cpuCelsius: 83.4, gpuCelsius: null },
    ...{ breaks: 2, lostSeconds: 61 },
  }
  const hyperparameters = { thermal: { pauseAboveCelsius: 75, dutyCycle: 0.6 } }
  const shown = { ...run, hyperparameters, progress: { ...run.progress, use } }
  const html = String(runPanel({ ...runProps, run: shown }))
  assert.match(html, /1\.6<\/span> \/ 2\.0 cores/)
  assert.match(html, /processor 83 °C, 2 thermal pauses/)
  assert.match(html, /Time lost to resource limits[\s\S]*1 min 1 s/)
  assert.match(html, /pause above 75 °C, duty cycle 60%/)
  const without = { ...shown, progress: { ...run.progress, use: { ...use, sensors: 0 } } }
  assert.match(String(runPanel({ ...runProps, run: without })), /no sensor/)
})
