// results/SUMMARY.txt: a training on one page of plain text.

import type { ClassReport } from '../../../evaluation/class-reports.ts'
import type { Evaluation } from '../../../evaluation/evaluate.ts'
import type { ConditionKind } from '../../../package/schema.ts'
import type { Rate } from '../../../statistics/rates.ts'
import type { EpochRecord } from '../../job.ts'
import { distributionOf, momentOf, readableBytes, readableDuration } from '../known.ts'
import { type PackageContext, writeFiles } from '../package-context.ts'
import { analyseConvergence } from './convergence-file.ts'

export async function writeSummaryText(c: PackageContext): Promise<void> {
  await writeFiles(c.dir, { 'results/SUMMARY.txt': summaryText(c) })
}

function summaryText(c: PackageContext): string {
  const { job, index, trained, evaluation, hyperparameters: h, config } = c
  const seconds = (c.endedAt.getTime() - c.startedAt.getTime()) / 1000
  const best = trained.history.find(({ epoch }) => epoch === trained.bestEpoch) as EpochRecord
  const count = (split: string) => index.images.filter((image) => image.split === split).length
  const starts = c.observed.starts.length
  const convergence = analyseConvergence(trained)
  const { metrics, finding } = evaluation
  const balanced = row('Balanced accuracy', percent(metrics.balancedAccuracy))
  const title = `${job.condition.name}: ${job.condition.id}/${c.name}`
  return [
    title,
    '='.repeat(title.length),
    ...(job.demonstration ? [`${job.demonstration.notice.toUpperCase()}.`] : []),
    'For research use only; not a medical device.',
    '',
    'Run',
    row('Start', momentOf(c.startedAt).local),
    row('End', momentOf(c.endedAt).local),
    row('Duration', readableDuration(seconds)),
    ...(starts > 1
      ? [
          row(
            'Resumed',
            `${starts === 2 ? 'once' : `${starts - 1} times`}; the duration includes the time between`,
          ),
        ]
      : []),
    ...Object.entries(c.phases).map(([name, time]) => row(`  ${name}`, readableDuration(time))),
    '',
    'Model',
    row('Architecture', `${c.architecture.title} (${c.architecture.name})`),
    row('Parameters', parameterWords(config.parameters)),
    row(
      'Input',
      `${index.preprocessing.width} x ${index.preprocessing.height} pixels, ${index.preprocessing.channels === 1 ? 'grey' : 'colour'}`,
    ),
    '',
    'Configuration',
    row('Preset', job.preset),
    row(
      'Epochs',
      `${trained.history.length} of ${h.epochs}, ended by ${trained.endedBy}; best ${trained.bestEpoch}`,
    ),
    row('Batch size', String(h.batchSize)),
    row('Optimizer', `${h.optimizer}, learning rate ${h.learningRate}, schedule ${h.schedule}`),
    row('Seed', String(h.seed)),
    row(
      'Engine',
      `${c.engine === 'onnx' ? 'ONNX Runtime' : 'TensorFlow'}, ${job.threads} ${job.threads === 1 ? 'thread' : 'threads'}`,
    ),
    '',
    'Dataset',
    row('Name', index.name),
    row(
      'Images',
      `${index.images.length}: train ${count('train')}, validation ${count('validation')}, calibration ${count('calibration')}, test ${count('test')}`,
    ),
    ...index.classes.map(({ label }, k) =>
      row(`  ${label}`, String(index.images.filter((one) => one.classes.includes(k)).length)),
    ),
    '',
    `Best epoch (${best.epoch})`,
    row('Training', `loss ${number(best.trainLoss)}, accuracy ${percent(best.trainAccuracy)}`),
    row(
      'Validation',
      `loss ${number(best.valLoss)}, accuracy ${percent(best.valAccuracy)}, AUC ${number(best.valAuc)}`,
    ),
    row('Convergence', `${convergence.conclusion}. ${convergence.words}`),
    '',
    `Test split (${metrics.n} images, 95% intervals), operating point ${evaluation.defaultOperatingPoint}`,
    row(
      index.kind === 'multi-label' ? 'All labels right' : 'Accuracy',
      withInterval(evaluation.accuracy),
    ),
    ...(index.kind === 'multi-label' ? [] : [balanced]),
    row('AUC', aucWords(evaluation, index.kind)),
    ...(index.kind === 'binary' ? [] : ['Any finding, against none:']),
    ...(index.kind === 'multi-label' ? [balanced] : []),
    row('Sensitivity', withInterval(finding.sensitivity)),
    row('Specificity', withInterval(finding.specificity)),
    row('PPV / NPV', `${percent(finding.ppv.value)} / ${percent(finding.npv.value)}`),
    row('Calibration', calibrationWords(evaluation)),
    '',
    ...classTable(evaluation.classes),
    '',
    'Machine',
    ...machineWords(c),
    '',
  ].join('\n')
}

function row(name: string, value: string): string {
  return `${name.padEnd(19)} ${value}`
}

function parameterWords(parameters: PackageContext['config']['parameters']): string {
  if (!parameters) return 'unknown'
  const { total, trainable, nonTrainable } = parameters
  const of = (value: number): string => value.toLocaleString('en')
  return `${of(total)}: trained ${of(trainable)}, not trained ${of(nonTrainable)}`
}

function classTable(classes: readonly ClassReport[]): string[] {
  const width = Math.max(12, ...classes.map(({ label }) => label.length))
  const head = `${'Class'.padEnd(width)}  precision   recall       F1      AUC   images`
  return [
    head,
    ...classes.map((one) => {
      const cells = [
        percent(one.precision.value).padStart(11),
        percent(one.recall.value).padStart(9),
        number(one.f1).padStart(9),
        number(one.area?.auc).padStart(9),
        String(one.support).padStart(9),
      ]
      return `${one.label.padEnd(width)}${cells.join('')}`
    }),
  ]
}

function machineWords({ observed, peakMemoryBytes }: PackageContext): string[] {
  const { samples, breaks, sensors } = observed
  const hottest = samples.flatMap(({ cpuCelsius }) => cpuCelsius ?? [])
  const heat =
    sensors.length === 0
      ? 'this machine shows no temperature sensor'
      : hottest.length === 0
        ? 'no sensor of the processor'
        : `at most ${Math.round(distributionOf(hottest).max)} °C`
  const inBreaks = breaks.reduce((sum, { seconds }) => sum + seconds, 0)
  const { dutyCycle } = observed.thermal
  return [
    row('Peak memory', readableBytes(peakMemoryBytes)),
    row('Temperature', heat),
    row(
      'Thermal pauses',
      breaks.length === 0 ? 'none' : `${breaks.length}, ${readableDuration(inBreaks)} in all`,
    ),
    ...(dutyCycle < 1
      ? [
          row(
            'Rests',
            `${readableDuration(observed.restSeconds)}, for a duty cycle of ${Math.round(100 * dutyCycle)}%`,
          ),
        ]
      : []),
  ]
}

function aucWords({ metrics, classes }: Evaluation, kind: ConditionKind): string {
  const area = classes.find((one) => one.positive)?.area
  if (kind !== 'binary' || !area) return `${number(metrics.auc)}, mean over the classes`
  return `${number(area.auc)} (${number(area.interval[0])} to ${number(area.interval[1])})`
}

function calibrationWords({ calibration, quality }: Evaluation): string {
  const before = number(quality.raw.ece)
  if (!calibration) return `none: too few images to fit one; ECE ${before}`
  const { temperature, n } = calibration
  if (temperature === 1) {
    return `temperature 1: another did not help on unseen images of the ${n}; ECE ${before}`
  }
  return `temperature ${number(temperature)} from ${n} images; ECE ${before} before, ${number(quality.calibrated.ece)} after`
}

function withInterval({ value, interval }: Rate): string {
  if (value === null || !interval) return 'undefined'
  return `${percent(value)} (${percent(interval[0])} to ${percent(interval[1])})`
}

function percent(value: number | null): string {
  return value === null ? 'undefined' : `${(100 * value).toFixed(1)}%`
}

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? 'undefined' : value.toFixed(3)
}
