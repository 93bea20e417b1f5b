// The tables of a package: history of the epochs, figures of each class, answer to each test image.

import { type Cell, formatCsv } from '../csv.ts'
import type { PreparedImage, PreparedIndex } from '../dataset/prepared.ts'
import type { Evaluation } from '../evaluation/evaluate.ts'
import type { Rate } from '../evaluation/rates.ts'
import type { EpochRecord } from '../job.ts'
import { json, type PackageContext, writeFiles } from './package-context.ts'

export async function writeTables(c: PackageContext): Promise<void> {
  const { evaluation, index, trained } = c
  const images = c.prepared.imagesOf('test')
  await writeFiles(c.dir, {
    'results/training_history.csv': historyCsv(trained.history),
    'results/training_history.json': json({ schema: 1, epochs: trained.history }),
    'results/per_class_metrics.csv': perClassCsv(evaluation),
    'results/predictions.csv': predictionsCsv(images, { evaluation, index }),
    'results/dataset_stats.json': json(datasetStats(index)),
    'results/results_summary.json': json(resultsSummary(c)),
  })
}

function resultsSummary({ evaluation, trained, index, job, ...c }: PackageContext) {
  const { answers: _, ...reported } = evaluation
  const best = trained.history.find(({ epoch }) => epoch === trained.bestEpoch)
  return {
    schema: 1,
    condition: job.condition.id,
    name: c.name,
    architecture: c.config.architecture,
    notice: job.demonstration?.notice ?? null,
    bestEpoch: trained.bestEpoch,
    epochs: trained.history.length,
    endedBy: trained.endedBy,
    atBestEpoch: best ?? null,
    splitNotes: index.notes,
    ...reported,
  }
}

/** Columns as CONTRACT section 3 has them, then more. */
export function historyCsv(history: readonly EpochRecord[]): string {
  return formatCsv(
    [
      'epoch',
      'train_loss',
      'train_acc',
      'val_loss',
      'val_acc',
      'learning_rate',
      'train_precision',
      'train_recall',
      'train_auc',
      'val_precision',
      'val_recall',
      'val_auc',
      'seconds',
      'images_per_second',
    ],
    history.map((one) => [
      one.epoch,
      one.trainLoss,
      one.trainAccuracy,
      one.valLoss,
      one.valAccuracy,
      one.learningRate,
      one.trainPrecision,
      one.trainRecall,
      one.trainAuc,
      one.valPrecision,
      one.valRecall,
      one.valAuc,
      one.seconds,
      one.imagesPerSecond,
    ]),
  )
}

export function perClassCsv({ classes }: Evaluation): string {
  const interval = ({ value, interval: bounds }: Rate): Cell[] => [value, bounds?.[0], bounds?.[1]]
  return formatCsv(
    [
      'class',
      'precision',
      'precision_low',
      'precision_high',
      'recall',
      'recall_low',
      'recall_high',
      'specificity',
      'f1_score',
      'support',
      'auc',
      'auc_low',
      'auc_high',
      'average_precision',
    ],
    classes.map((one) => [
      one.label,
      ...interval(one.precision),
      ...interval(one.recall),
      one.specificity.value,
      one.f1,
      one.support,
      one.area?.auc,
      one.area?.interval[0],
      one.area?.interval[1],
      one.averagePrecision,
    ]),
  )
}

/** One line for each test image: file, truth, answer, calibrated probability and logit of each class. */
export function predictionsCsv(
  images: readonly PreparedImage[],
  { evaluation, index }: { readonly evaluation: Evaluation; readonly index: PreparedIndex },
): string {
  const labels = index.classes.map(({ label }) => label)
  return formatCsv(
    [
      'file',
      'sha256',
      'true_label',
      'predicted_label',
      'positive',
      ...labels.map((label) => `p_${label}`),
      ...labels.map((label) => `logit_${label}`),
    ],
    images.map((image, at) => {
      const answer = evaluation.answers[at]
      return [
        image.file,
        image.sha256,
        image.classes.map((k) => labels[k]).join('|'),
        answer?.decision.label,
        answer?.decision.positive,
        ...(answer?.scores.map((one) => one.probability) ?? []),
        ...(answer?.scores.map((one) => one.logit) ?? []),
      ]
    }),
  )
}

/** dataset_stats.json: what the model learnt from, without the images. */
export function datasetStats(index: PreparedIndex) {
  const splits = ['train', 'validation', 'calibration', 'test'] as const
  const count = (wanted: (image: PreparedImage) => boolean): number =>
    index.images.filter(wanted).length
  const tally = (value: (image: PreparedImage) => string) =>
    Object.fromEntries(
      [...Map.groupBy(index.images, value)].map(([key, members]) => [key, members.length]),
    )
  return {
    schema: 1,
    name: index.name,
    layout: index.layout,
    fingerprint: index.fingerprint,
    testSet: index.testSet,
    images: index.images.length,
    splits: Object.fromEntries(
      splits.map((split) => [
        split,
        {
          images: count((image) => image.split === split),
          classes: Object.fromEntries(
            index.classes.map(({ label }, k) => [
              label,
              count((image) => image.split === split && image.classes.includes(k)),
            ]),
          ),
        },
      ]),
    ),
    patients: new Set(index.images.map(({ group }) => group).filter(Boolean)).size || null,
    formats: tally(({ format }) => format),
    bits: tally(({ bits }) => String(bits)),
    sizes: tally(({ width, height }) => `${width}x${height}`),
    setAside: index.setAside,
    duplicates: index.duplicates,
    notes: index.notes,
    warnings: index.warnings,
  }
}
