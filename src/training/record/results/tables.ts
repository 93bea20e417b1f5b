// The tables of a package: history of the epochs, figures of each class, answer to each test image.

import type { Evaluation } from '../../../evaluation/evaluate.ts'
import { type Cell, formatCsv } from '../../../package/csv.ts'
import type { Rate } from '../../../statistics/rates.ts'
import type { PreparedImage, PreparedIndex } from '../../dataset/prepared.ts'
import type { EpochRecord } from '../../job.ts'
import { type PackageContext, writeFiles } from '../package-context.ts'

export async function writeTables(c: PackageContext): Promise<void> {
  const { evaluation, index, trained } = c
  const images = c.prepared.imagesOf('test')
  await writeFiles(c.dir, {
    'results/training_history.csv': historyCsv(trained.history),
    'results/per_class_metrics.csv': perClassCsv(evaluation),
    'results/predictions.csv': predictionsCsv(images, { evaluation, index }),
  })
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
  const bounds = (of: readonly [number, number] | null | undefined): Cell[] => [of?.[0], of?.[1]]
  const interval = (one: Rate): Cell[] => [one.value, ...bounds(one.interval)]
  return formatCsv(
    [
      'class',
      'precision',
      'precision_low',
      'precision_high',
      'recall',
      'recall_low',
      'recall_high',
      'f1_score',
      'f1_low',
      'f1_high',
      'support',
      'specificity',
      'specificity_low',
      'specificity_high',
      'npv',
      'auc',
      'auc_low',
      'auc_high',
      'average_precision',
      'average_precision_low',
      'average_precision_high',
    ],
    classes.map((one) => [
      one.label,
      ...interval(one.precision),
      ...interval(one.recall),
      one.f1,
      ...bounds(one.f1Interval),
      one.support,
      ...interval(one.specificity),
      one.npv.value,
      one.area?.auc,
      ...bounds(one.area?.interval),
      one.averagePrecision,
      ...bounds(one.averagePrecisionInterval),
    ]),
  )
}

/** Of several labels those that are found, as in the column of what is true. */
function predictedLabel(
  answer: Evaluation['answers'][number] | undefined,
  { kind }: PreparedIndex,
): string | undefined {
  if (kind !== 'multi-label') return answer?.decision.label
  const found = answer?.decision.findings.filter(({ positive }) => positive) ?? []
  return found.map(({ label }) => label).join('|')
}

/** One line for each test image: file, truth, answer, calibrated probability and logit of each class. */
export function predictionsCsv(
  images: readonly PreparedImage[],
  { evaluation, index }: { readonly evaluation: Evaluation; readonly index: PreparedIndex },
): string {
  const labels = index.classes.map(({ label }) => label)
  const names = [...new Set(images.flatMap(({ group }) => group ?? []))]
  const groups = new Map(names.map((name, at) => [name, at + 1]))
  return formatCsv(
    [
      'file',
      'sha256',
      'true_label',
      'predicted_label',
      'positive',
      ...labels.map((label) => `p_${label}`),
      ...labels.map((label) => `logit_${label}`),
      'group',
    ],
    images.map((image, at) => {
      const answer = evaluation.answers[at]
      return [
        image.file,
        image.sha256,
        image.classes.map((k) => labels[k]).join('|'),
        predictedLabel(answer, index),
        answer?.decision.positive,
        ...(answer?.scores.map((one) => one.probability) ?? []),
        ...(answer?.scores.map((one) => one.logit) ?? []),
        // A number, not the name: a package travels, and a patient's name may be in it.
        image.group === null ? null : (groups.get(image.group) ?? null),
      ]
    }),
  )
}
