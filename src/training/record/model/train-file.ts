// configs/train.json: how a model was trained, enough to do it again: settings, seeds, loss, what ends it, limits.
import { z } from 'zod'
import { StoredWeightsSchema } from '../../../conversion/pretrained/weights-store.ts'
import { type Hyperparameters, HyperparametersSchema } from '../../hyperparameters.ts'
import { classWeights } from '../../loop/batches.ts'
import { ThermalSchema } from '../../thermal/settings.ts'
import { absent, valueOrReason } from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

const h = HyperparametersSchema.shape

/** What may be null there has its reason here. */
function withReasons(shape: Readonly<Record<string, z.ZodType>>): Record<string, z.ZodType> {
  const fields = Object.entries(shape).map(([name, field]) => {
    let plain = field
    while (plain instanceof z.ZodDefault || plain instanceof z.ZodNullable) {
      plain = plain.unwrap() as z.ZodType
    }
    const recorded = field.safeParse(null).success ? valueOrReason(plain) : plain
    return [name, recorded.meta(field.meta() ?? {})] as const
  })
  return Object.fromEntries(fields)
}

export const TrainFileSchema = z.strictObject({
  schema: z.literal(3),
  preset: z.string(),
  architecture: z.string(),
  condition: z.string(),
  dataset: z.strictObject({
    name: z.string(),
    fingerprint: z.string(),
    path: valueOrReason(z.string()),
  }),
  hyperparameters: z.strictObject(withReasons(h)),
  seeds: z.strictObject({
    /** Of split and sample; prepared data may have a seed of its own. */
    split: z.int(),
    weights: z.int(),
    shuffle: z.int(),
    augmentation: z.int(),
    dropout: z.int(),
    words: z.string(),
  }),
  initialWeights: z.strictObject({
    from: z.string(),
    version: valueOrReason(z.string()),
    /** Kept pretrained weights: what they are, where they came from and their check sums. */
    pretrained: valueOrReason(StoredWeightsSchema),
  }),
  fineTuning: z.strictObject({
    trainedLayers: h.trainedLayers,
    trainable: z.int(),
    nonTrainable: z.int(),
    /** Shortened so that the moving averages follow within a short run. */
    batchNormMomentum: valueOrReason(
      z.strictObject({ momentum: z.number(), layers: z.int().min(1), steps: z.int() }),
    ),
    /** How the frozen part was run once for each augmented copy. */
    frozenPart: valueOrReason(z.looseObject({ copies: z.int(), features: z.int() })),
  }),
  loss: z.strictObject({
    name: z.string(),
    labelSmoothing: z.number(),
    /** Multi-label: of images that bear the label, and of those that do not. */
    classWeights: valueOrReason(
      z.record(
        z.string(),
        z.union([z.number(), z.strictObject({ present: z.number(), absent: z.number() })]),
      ),
    ),
  }),
  metrics: z.array(z.string()),
  callbacks: z.strictObject({
    earlyStopping: valueOrReason(z.strictObject({ monitor: z.string(), patience: z.int() })),
    reduceLearningRate: valueOrReason(
      z.strictObject({ monitor: z.string(), patience: z.int(), factor: z.number() }),
    ),
    modelCheckpoint: z.strictObject({ monitor: z.string(), restoresBest: z.boolean() }),
  }),
  resumed: valueOrReason(z.looseObject({ epoch: z.int(), differs: z.array(z.string()) })),
  environment: z.strictObject({
    engine: z.string(),
    threads: z.int(),
    /** Limits that it was to keep, see results/thermal.json and results/resources.json. */
    thermal: ThermalSchema.extend({
      pauseAboveCelsius: valueOrReason(z.number()),
      gpuPauseAboveCelsius: valueOrReason(z.number()),
      threads: valueOrReason(z.int()),
    }),
    expectedMemoryBytes: z.int(),
  }),
  preprocessing: z.strictObject({ file: z.string(), sha256: z.string() }),
})

const MONITOR = 'validation loss, lowest'
const NO_LIMIT = 'Not set: no such limit.'

export async function writeTrainConfig(c: PackageContext): Promise<void> {
  await writeFiles(c.dir, { 'configs/train.json': json(trainFile(c)) })
}

function trainFile(c: PackageContext): z.infer<typeof TrainFileSchema> {
  const { job, index, trained, hyperparameters } = c
  const { seed, earlyStopping, plateauPatience, plateauFactor, schedule } = hyperparameters
  const parameters = c.config.parameters ?? { trainable: 0, nonTrainable: 0 }
  const { thermal } = c.observed
  return {
    schema: 3,
    preset: job.preset,
    architecture: c.architecture.name,
    condition: job.condition.id,
    dataset: {
      name: job.datasetName,
      fingerprint: index.fingerprint,
      path: absent(
        'A package travels: every file is in results/dataset_files.csv, below its folder.',
      ),
    },
    hyperparameters: explained(hyperparameters),
    seeds: {
      split: index.seed,
      weights: seed,
      shuffle: seed,
      augmentation: seed,
      dropout: seed,
      words:
        'Every draw is a function of seed, purpose, epoch and place, so nothing depends on time, order or threads.',
    },
    initialWeights: initialWeights(c),
    fineTuning: {
      trainedLayers: hyperparameters.trainedLayers,
      trainable: parameters.trainable,
      nonTrainable: parameters.nonTrainable,
      batchNormMomentum: c.shortened ?? absent('Every layer kept its own momentum.'),
      frozenPart: trained.frozen
        ? { ...trained.frozen, layers: [...trained.frozen.layers] }
        : absent('All of the network was run in every epoch.'),
    },
    loss: {
      name: index.kind === 'single-label' ? 'softmax cross-entropy' : 'sigmoid cross-entropy',
      labelSmoothing: hyperparameters.labelSmoothing,
      classWeights: classWeightsOf(c),
    },
    metrics: ['loss', 'accuracy', 'precision', 'recall', 'auc'],
    callbacks: {
      earlyStopping:
        earlyStopping > 0
          ? { monitor: MONITOR, patience: earlyStopping }
          : absent('Switched off: all epochs were to be done.'),
      reduceLearningRate:
        schedule === 'plateau'
          ? { monitor: MONITOR, patience: plateauPatience, factor: plateauFactor }
          : absent(`The learning rate follows the schedule "${schedule}".`),
      modelCheckpoint: { monitor: MONITOR, restoresBest: true },
    },
    resumed: trained.resumed
      ? { ...trained.resumed, differs: [...trained.resumed.differs] }
      : absent('It was never interrupted.'),
    environment: {
      engine: c.engine,
      threads: job.threads,
      thermal: {
        ...thermal,
        pauseAboveCelsius: thermal.pauseAboveCelsius ?? absent(NO_LIMIT),
        gpuPauseAboveCelsius: thermal.gpuPauseAboveCelsius ?? absent(NO_LIMIT),
        threads: thermal.threads ?? absent(NO_LIMIT),
      },
      expectedMemoryBytes: Math.round(c.expectedMemoryBytes),
    },
    preprocessing: { file: 'configs/preprocessing.json', sha256: index.preprocessingSha256 },
  }
}

function initialWeights({ job, pretrained }: PackageContext) {
  const version = job.initFrom?.version
  return {
    from: version
      ? `those of ${version}`
      : pretrained
        ? `${pretrained.source.published ?? pretrained.name}; the head: random, from the seed`
        : 'random (He), from the seed',
    version: version ?? absent('It started from no other version.'),
    pretrained: pretrained ?? absent('It started from no pretrained weights.'),
  }
}

const UNSET: Readonly<Record<string, string>> = {
  augmentation: 'Trained on the images as they are.',
  maxPerClass: 'All images.',
  channels: 'As is usual for the body part.',
  explanationLayer: 'The one that the architecture is explained at.',
}

function explained(hyperparameters: Hyperparameters): Record<string, unknown> {
  const entries = Object.entries(hyperparameters).map(
    ([name, value]) => [name, value ?? absent(UNSET[name] ?? 'Not set.')] as const,
  )
  return Object.fromEntries(entries)
}

function classWeightsOf(c: PackageContext) {
  if (!c.hyperparameters.classWeights) return absent('Switched off: every image weighs the same.')
  const weights = classWeights(c.prepared.imagesOf('train'), c.index)
  const isMulti = c.index.kind === 'multi-label'
  return Object.fromEntries(
    c.index.classes.map(({ label }, k) => {
      const { present = 1, absent = 1 } = weights[k] ?? {}
      return [label, isMulti ? { present, absent } : present] as const
    }),
  )
}
