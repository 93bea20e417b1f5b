// A training that takes breaks and rests ends with the weights of one that does not; what was observed outlives a kill.
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { readConfig } from '../../src/config.ts'
import { prepareDataset } from '../../src/training/dataset/prepare.ts'
import { openPrepared } from '../../src/training/dataset/prepared.ts'
import type { TrainingMessage } from '../../src/training/job.ts'
import type { Control } from '../../src/training/loop/control.ts'
import { trainModel } from '../../src/training/loop/train.ts'
import { resourcesFile } from '../../src/training/record/machine/resources-file.ts'
import { thermalFile } from '../../src/training/record/machine/thermal-file.ts'
import { augmentationFor, completeHyperparameters } from '../../src/training/settings.ts'
import { Journal, type Sample } from '../../src/training/telemetry/journal.ts'
import { RunTelemetry } from '../../src/training/telemetry/run-observer.ts'
import { wholeRun } from '../../src/training/telemetry/whole-run.ts'
import { completeThermal } from '../../src/training/thermal/settings.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import { makeSensorTree } from '../support/training/sensor-tree.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-exact-'))
after(() => rm(root, { recursive: true, force: true }))
await prepareDataset({
  dir: await drawDataset(join(root, 'spots'), 40),
  outDir: join(root, 'prepared'),
  name: 'spots',
  seed: 42,
  preprocessing: {
    schema: 1,
    ...{ width: 32, height: 32, channels: 1, interpolation: 'bilinear', aspect: 'pad' },
    ...{ antialias: true, scale: 1 / 127.5, mean: [1], std: [1], order: 'rgb' },
  },
})
const hyperparameters = completeHyperparameters(
  { batchSize: 8, epochs: 2 },
  { preset: 'quick', learningRate: 2e-3, imageSize: 32, augmentation: augmentationFor('knee') },
)

async function train(control: Control, report: (message: TrainingMessage) => void = () => {}) {
  const prepared = await openPrepared(join(root, 'prepared'))
  const shape = { height: 32, width: 32, channels: 1 } as const
  const model = getArchitecture('tiny_cnn').build({ ...shape, outputs: 1, seed: 42 })
  await trainModel(model, {
    ...{ prepared, hyperparameters, engine: 'onnx', threads: 1, control, report },
    checkpointPath: join(root, 'checkpoint.bin'),
  })
  prepared.close()
  return model.getWeights().map((weight) => weight.dataSync())
}

const SAMPLE: Sample = {
  ...{ at: '', seconds: 2, phase: 'training', cpuCores: 1, systemCpu: 0.5, memoryBytes: 1 },
  ...{ freeMemoryBytes: 1, loadAverage: 1, cpuCelsius: null, gpuCelsius: null },
  ...{ gpuUtilisation: null, gpuMemoryBytes: null, restSeconds: 0, isPaused: false },
}

test('breaks and rests change no bit of the weights', async () => {
  const tree = await makeSensorTree(join(root, 'sys'), 99)
  const control: Control = { wish: 'go on' }
  const messages: TrainingMessage[] = []
  const report = (message: TrainingMessage): void => {
    messages.push(message)
    if (message.type === 'thermal' && message.sentence !== null) void tree.heat(45)
  }
  const observer = await RunTelemetry.start({
    workDir: root,
    resume: false,
    thermal: completeThermal({ dutyCycle: 0.8, minBreakSeconds: 0 }, readConfig({}).thermal),
    ...{ threads: 1, sensorsDir: tree.root, control, report, everyMs: 50 },
  })
  control.rest = () => observer.rest()
  const rested = await train(control, report)
  const { breaks, samples } = await observer.observed()
  await observer.stop()
  await observer.stop()
  assert.equal(breaks.length, 1)
  assert.ok(samples.length > 1)
  assert.ok(messages.some(({ type }) => type === 'resources'))
  assert.deepEqual(rested, await train({ wish: 'go on' }))
})

test('a resumed run began with its first start, and its phases are those of all its parts', () => {
  const at = (minute: number) => `2026-11-20T22:${String(minute).padStart(2, '0')}:00.000Z`
  const own = { startedAt: new Date(at(30)), phases: { preparing: 1, training: 100 } }
  const sample = { ...SAMPLE, at: at(5), phase: 'training', seconds: 240 } as const
  const after = { ...sample, at: at(31), seconds: 60 }
  const record = { starts: [at(0), at(30)], samples: [sample, after], breaks: [] }
  const whole = wholeRun(record, own)
  assert.equal(whole.startedAt.toISOString(), at(0))
  assert.deepEqual(whole.phases, { preparing: 1, training: 100 + 240 })
  assert.equal(wholeRun({ ...record, starts: [at(30)] }, own), own)
})

test('the samples of a week make a record of a few hundred points', () => {
  const samples = Array.from({ length: 200_000 }, (_, i) => {
    return { ...SAMPLE, at: '2026-11-20T22:00:00.000Z', cpuCelsius: i === 7 ? 88 : 60 }
  })
  const observed = {
    ...{ starts: ['2026-11-20T22:00:00.000Z'], samples, breaks: [], gpus: [], threads: 2 },
    ...{ thermal: completeThermal({}, readConfig({}).thermal), everySeconds: 2, restSeconds: 0 },
    sensors: [{ name: 'x', kind: 'cpu', source: 'thermal zone' } as const],
  }
  const memory = { peakMemoryBytes: 2 ** 30, expectedMemoryBytes: 2 ** 30 }
  const { series, memory: used } = resourcesFile({ observed, ...memory })
  assert.ok(series.length <= 300)
  assert.equal(series[0]?.cpuCelsius, 88, 'a peak is not lost in its point')
  assert.equal(used.shareOfTarget, 1)
  const { safety } = thermalFile(observed)
  assert.ok('hottestCpuCelsius' in safety && safety.hottestCpuCelsius === 88)
})

test('one break of a short run makes no rate per hour', () => {
  const of = { of: 'cpu', fromCelsius: 91, toCelsius: 79, endedBy: 'cool again' } as const
  const one = { startedAt: '2026-11-20T22:00:00.000Z', seconds: 0.1, ...of }
  const perHour = (count: number, seconds: number) =>
    thermalFile({
      ...{ starts: [one.startedAt], breaks: Array.from({ length: count }, () => one), gpus: [] },
      ...{ samples: [{ ...SAMPLE, at: one.startedAt, phase: 'training' as const, seconds }] },
      ...{ thermal: completeThermal({}, readConfig({}).thermal), everySeconds: 2, restSeconds: 0 },
      ...{ threads: 2, sensors: [] },
    }).breaks.perHour
  assert.match(JSON.stringify(perHour(1, 0.16)), /One pause in 0 s of training: too few/)
  assert.equal(perHour(1, 7200), 0.5)
  assert.equal(perHour(3, 1800), 6)
  assert.equal(perHour(0, 10), 0)
})

test('what was observed before a kill is in the record of the resumed run', () => {
  const path = join(root, 'observed.jsonl')
  const first = new Journal(path, { resume: false })
  const one = {
    startedAt: '2026-11-20T22:00:00.000Z',
    ...({ seconds: 30, of: 'cpu', fromCelsius: 91, toCelsius: 79 } as const),
    endedBy: 'cool again',
  } as const
  first.add({ type: 'break', ...one })
  appendFileSync(path, '{"type":"sample","at":"2026-11-2')
  const resumed = new Journal(path, { resume: true }).record()
  assert.equal(resumed.starts.length, 2)
  assert.deepEqual(resumed.breaks, [one])
  assert.equal(new Journal(path, { resume: true }).record().starts.length, 3)
  assert.deepEqual(new Journal(path, { resume: false }).record().breaks, [])
})
