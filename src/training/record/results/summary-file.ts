// results/results_summary.json: the whole result of a training in one file, for programs.
import { z } from 'zod'
import type { Assessment } from '../../../evaluation/assess.ts'
import type { ConditionKind } from '../../../package/schema.ts'
import { SPLITS } from '../../dataset/split.ts'
import type { EpochRecord } from '../../job.ts'
import {
  absent,
  DurationSchema,
  durationOf,
  MomentSchema,
  momentOf,
  valueOrReason,
} from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'
import { explainNulls } from './explain-nulls.ts'
import {
  BinaryRatesSchema,
  ClassFiguresSchema,
  EstimateSchema,
  figure,
  PointSchema,
  QualitySchema,
  RateSchema,
} from './figure-schemas.ts'

const SplitFiguresSchema = z.strictObject({
  images: z.int(),
  loss: z.number(),
  accuracy: figure,
  precision: figure,
  recall: figure,
  auc: figure,
})

export const SummaryFileSchema = z.looseObject({
  schema: z.literal(2),
  model: z.strictObject({
    condition: z.string(),
    name: z.string(),
    architecture: z.string(),
    parameters: z.strictObject({ total: z.int(), trainable: z.int(), nonTrainable: z.int() }),
  }),
  notice: valueOrReason(z.string()),
  time: z.strictObject({
    startedAt: MomentSchema,
    endedAt: MomentSchema,
    duration: DurationSchema,
  }),
  configuration: z.strictObject({
    preset: z.string(),
    epochs: z.int(),
    batchSize: z.int(),
    learningRate: z.number(),
    optimizer: z.string(),
    seed: z.int(),
    all: z.string(),
  }),
  dataset: z.strictObject({
    name: z.string(),
    fingerprint: z.string(),
    images: z.int(),
    splits: z.record(z.string(), z.record(z.string(), z.int())),
    notes: z.array(z.string()),
    all: z.string(),
  }),
  training: z.strictObject({
    epochs: z.int(),
    bestEpoch: z.int(),
    endedBy: z.string(),
  }),
  /** At the best epoch and probability 0.5 for the first two; at the default operating point for `test`. */
  results: z.strictObject({
    train: SplitFiguresSchema,
    validation: SplitFiguresSchema,
    test: SplitFiguresSchema,
  }),
  /** The validation split looked at like the test split; it chose the best epoch, so it is optimistic. */
  validation: z.looseObject({
    metrics: z.looseObject({ n: z.int() }),
    finding: BinaryRatesSchema,
    classes: z.array(ClassFiguresSchema),
    quality: z.looseObject({ calibrated: QualitySchema }),
  }),
  calibration: valueOrReason(z.looseObject({ method: z.string(), temperature: z.number() })),
  operatingPoints: z.array(z.looseObject({ name: z.string() })),
  defaultOperatingPoint: z.string(),
  metrics: z.looseObject({
    accuracy: figure,
    balancedAccuracy: figure,
    auc: figure,
    sensitivity: figure,
    specificity: figure,
    f1: figure,
    n: z.int(),
    testSet: z.string(),
  }),
  accuracy: RateSchema,
  balancedAccuracy: EstimateSchema,
  finding: BinaryRatesSchema,
  macro: z.looseObject({}),
  classes: z.array(ClassFiguresSchema),
  points: z.array(PointSchema),
  confusion: valueOrReason(z.array(z.array(z.int()))),
  quality: z.strictObject({ raw: QualitySchema, calibrated: QualitySchema }),
})

export async function writeResultsSummary(c: PackageContext): Promise<void> {
  await writeFiles(c.dir, { 'results/results_summary.json': json(resultsSummary(c)) })
}

function resultsSummary(c: PackageContext) {
  const { evaluation, trained, index, job, hyperparameters: h, config } = c
  const { answers: _, ...test } = evaluation
  const { answers: __, points: ___, ...validation } = c.validation
  const best = trained.history.find(({ epoch }) => epoch === trained.bestEpoch) as EpochRecord
  const count = (split: string): number =>
    index.images.filter((image) => image.split === split).length
  return {
    schema: 2,
    model: {
      condition: job.condition.id,
      name: c.name,
      architecture: config.architecture,
      parameters: config.parameters,
    },
    notice: job.demonstration?.notice ?? absent('No notice: it is no demonstration.'),
    time: {
      startedAt: momentOf(c.startedAt),
      endedAt: momentOf(c.endedAt),
      duration: durationOf((c.endedAt.getTime() - c.startedAt.getTime()) / 1000),
    },
    configuration: {
      preset: job.preset,
      epochs: h.epochs,
      batchSize: h.batchSize,
      learningRate: h.learningRate,
      optimizer: h.optimizer,
      seed: h.seed,
      all: 'configs/train.json',
    },
    dataset: {
      name: index.name,
      fingerprint: index.fingerprint,
      images: index.images.length,
      splits: distributionByClass(c),
      notes: index.notes,
      all: 'results/dataset_stats.json',
    },
    training: {
      epochs: trained.history.length,
      bestEpoch: trained.bestEpoch,
      endedBy: trained.endedBy,
    },
    results: explainNulls({
      train: {
        images: count('train'),
        loss: best.trainLoss,
        accuracy: best.trainAccuracy,
        precision: best.trainPrecision,
        recall: best.trainRecall,
        auc: best.trainAuc,
      },
      validation: {
        images: count('validation'),
        loss: best.valLoss,
        accuracy: best.valAccuracy,
        precision: best.valPrecision,
        recall: best.valRecall,
        auc: best.valAuc,
      },
      test: { images: count('test'), ...testFigures(evaluation, index.kind) },
    }),
    validation: explainNulls(validation),
    ...(explainNulls(test) as object),
  }
}

/** Precision and recall: of the finding for binary, else the mean over the classes. */
function testFigures({ quality, metrics, finding, classes }: Assessment, kind: ConditionKind) {
  const mean = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null)
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
  }
  const isBinary = kind === 'binary'
  return {
    loss: quality.raw.nll,
    accuracy: metrics.accuracy,
    precision: isBinary ? finding.ppv.value : mean(classes.map((one) => one.precision.value)),
    recall: isBinary ? finding.sensitivity.value : mean(classes.map((one) => one.recall.value)),
    auc: metrics.auc,
  }
}

function distributionByClass({ index }: PackageContext): Record<string, Record<string, number>> {
  const counted = SPLITS.map((split) => {
    const images = index.images.filter((image) => image.split === split)
    const classes = index.classes.map(
      ({ label }, k) => [label, images.filter((one) => one.classes.includes(k)).length] as const,
    )
    return [split, Object.fromEntries(classes)] as const
  })
  return Object.fromEntries(counted)
}
