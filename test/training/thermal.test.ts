// Thermal-safe training: sensors, thresholds, thermal pauses and the duty cycle; none of it changes a weight.
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { isAppError } from '../../src/errors.ts'
import { checkHyperparameters } from '../../src/training/run-checks.ts'
import { ThermalGuard, type ThermalPause } from '../../src/training/thermal/guard.ts'
import { GpuWatch } from '../../src/training/thermal/nvidia-smi.ts'
import { openSensors } from '../../src/training/thermal/sensors.ts'
import { completeThermal, type GivenThermal } from '../../src/training/thermal/settings.ts'
import { makeSensorTree } from '../support/training/sensor-tree.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-thermal-'))
after(() => rm(root, { recursive: true, force: true }))
const defaults = readConfig({}).thermal
const thermal = (given: GivenThermal = {}) => completeThermal(given, defaults)

function guardOf(o: {
  readonly sensors: Awaited<ReturnType<typeof openSensors>>
  readonly given?: GivenThermal
  readonly onPause?: (sentence: string | null) => void
  readonly isInterrupted?: () => boolean
}) {
  const breaks: ThermalPause[] = []
  const guard = new ThermalGuard({
    settings: thermal({ minBreakSeconds: 0, ...o.given }),
    sensors: o.sensors,
    isInterrupted: o.isInterrupted ?? (() => false),
    onPause: o.onPause ?? (() => {}),
    onBreak: (one) => breaks.push(one),
    checkEveryMs: 0,
    recheckMs: 5,
  })
  return { guard, breaks }
}

test('temperatures are read from thermal zones and hardware monitors; a broken sensor is not believed', async () => {
  const { root: dir } = await makeSensorTree(join(root, 'read'), 63.5)
  const sensors = await openSensors({ root: dir })
  assert.deepEqual(
    sensors.list.map(({ name, kind, source }) => `${name}: ${kind}, ${source}`),
    [
      'x86_pkg_temp: cpu, thermal zone',
      'coretemp Package id 0: cpu, hardware monitor',
      'nvme temp1: other, hardware monitor',
    ],
  )
  const { cpu, gpu } = await sensors.read()
  assert.deepEqual([cpu, gpu], [63.5, null])
})

test('a machine without sensors has none, and a training there never waits for one', async () => {
  const sensors = await openSensors({ root: join(root, 'nowhere') })
  assert.deepEqual(sensors.list, [])
  const { guard, breaks } = guardOf({ sensors })
  assert.ok((await guard.rest()) < 1)
  assert.deepEqual(breaks, [])
})

test('a training pauses above one threshold and goes on below the other', async () => {
  const tree = await makeSensorTree(join(root, 'hot'), 85)
  const sensors = await openSensors({ root: tree.root })
  const said: (string | null)[] = []
  const readings: number[] = []
  const { guard, breaks } = guardOf({
    sensors: {
      list: sensors.list,
      // Between the thresholds at the second look: not hot enough to pause, not cool enough to go on.
      read: async () => {
        const reading = await sensors.read()
        readings.push(reading.cpu ?? 0)
        if (readings.length === 2) await tree.heat(75)
        if (readings.length === 4) await tree.heat(60)
        return reading
      },
    },
    given: { pauseAboveCelsius: 80, resumeBelowCelsius: 70 },
    onPause: (sentence) => said.push(sentence),
  })
  await guard.rest()
  assert.deepEqual(readings, [85, 85, 75, 75, 60, 60])
  assert.deepEqual(said, [
    'Thermal pause: the processor is at 85 °C; training resumes below 70 °C.',
    null,
  ])
  assert.equal(breaks.length, 1)
  const [only] = breaks
  assert.deepEqual(
    [only?.of, only?.fromCelsius, only?.toCelsius, only?.endedBy],
    ['cpu', 85, 60, 'cool again'],
  )
  await tree.heat(79)
  await guard.rest()
  assert.equal(breaks.length, 1, 'below the first threshold nothing happens')
})

test('a person can pause or end a training in its thermal pause', async () => {
  const tree = await makeSensorTree(join(root, 'person'), 99)
  const sensors = await openSensors({ root: tree.root })
  let isInterrupted = false
  const { guard, breaks } = guardOf({
    sensors,
    isInterrupted: () => isInterrupted,
    onPause: () => {
      isInterrupted = true
    },
  })
  await guard.rest()
  assert.equal(breaks[0]?.endedBy, 'a person')
})

test('a duty cycle of a half rests as long as it works', async () => {
  const { guard } = guardOf({
    sensors: await openSensors({ root: join(root, 'nowhere') }),
    given: { dutyCycle: 0.5 },
  })
  const until = performance.now() + 1050
  while (performance.now() < until) Math.sqrt(until)
  assert.ok((await guard.rest()) >= 1)
  assert.ok(guard.restSeconds >= 1)
})

test('graphics cards are read from nvidia-smi, and a machine without it has none', async () => {
  const tool = join(root, 'nvidia-smi')
  await writeFile(tool, '#!/bin/sh\necho "NVIDIA T4, 550.1, 91, 97, 2048, 16384"\n')
  await chmod(tool, 0o755)
  const [gpu] = await new GpuWatch(tool).read()
  assert.deepEqual(gpu, {
    name: 'NVIDIA T4',
    driver: '550.1',
    celsius: 91,
    utilisation: 0.97,
    memoryBytes: 2048 * 2 ** 20,
    memoryTotalBytes: 16384 * 2 ** 20,
  })
  await mkdir(join(root, 'empty'))
  const sensors = await openSensors({ root: join(root, 'empty'), gpus: new GpuWatch(tool) })
  assert.equal((await sensors.read()).gpu, 91)
  assert.deepEqual(await new GpuWatch(join(root, 'no-such-tool')).read(), [])
})

test('a threshold that is chosen moves the other one that was not', () => {
  const hot = thermal({ pauseAboveCelsius: 60 })
  assert.deepEqual([hot.pauseAboveCelsius, hot.resumeBelowCelsius], [60, 50])
  const cool = thermal({ resumeBelowCelsius: 95 })
  assert.deepEqual([cool.pauseAboveCelsius, cool.resumeBelowCelsius], [105, 95])
  assert.equal(thermal({ pauseAboveCelsius: null }).pauseAboveCelsius, null)
})

test('wrong settings are refused with the field and a sentence', () => {
  const refused = (given: unknown, pattern: RegExp) =>
    assert.throws(
      () => checkHyperparameters({ thermal: given }),
      (error) => isAppError(error) && pattern.test(error.message),
    )
  refused({ dutyCycle: 0 }, /thermal\.dutyCycle/)
  refused({ threads: 0 }, /thermal\.threads/)
  refused({ fan: 'on' }, /no hyperparameter "thermal\.fan"/)
  refused({ pauseAboveCelsius: 70, resumeBelowCelsius: 80 }, /must be lower than/)
  assert.throws(() => readConfig({ ROENTGEN_DUTY_CYCLE: '0' }), /ROENTGEN_DUTY_CYCLE/)
  const turned = readConfig({ ROENTGEN_CPU_PAUSE_ABOVE: '60' }).thermal
  assert.equal(completeThermal({}, turned).resumeBelowCelsius, 50)
})
