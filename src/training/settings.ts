// What may be set for a training run, its presets and its checks. Everything here goes into configs/train.json.
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { GivenCoolingSchema } from './thermal/settings.ts'

/** Random changes of a training image; amounts are the largest ones, drawn anew for each image and epoch. */
export const AugmentationSchema = z.strictObject({
  /** Mirror left and right: not where the side matters (the heart lies left), see `flipFor`. */
  flipHorizontal: z.boolean().default(false),
  flipVertical: z.boolean().default(false),
  rotationDegrees: z.number().min(0).max(180).default(7),
  /** Share of width and height. */
  shift: z.number().min(0).max(0.5).default(0.05),
  /** 0.1 is from 90 % to 110 %. */
  scale: z.number().min(0).max(0.5).default(0.08),
  /** Share of the value range of the preprocessed image. */
  brightness: z.number().min(0).max(0.5).default(0.05),
  contrast: z.number().min(0).max(0.9).default(0.12),
})
export type Augmentation = Readonly<z.infer<typeof AugmentationSchema>>

export const HyperparametersSchema = z.strictObject({
  epochs: z.int().min(1).max(1000),
  batchSize: z.int().min(2).max(512).default(32),
  learningRate: z.number().positive().max(1),
  optimizer: z.enum(['adam', 'sgd']).default('adam'),
  /** Of sgd. */
  momentum: z.number().min(0).max(0.999).default(0.9),
  seed: z.int().min(0).max(2_147_483_647).default(42),
  weightDecay: z.number().min(0).max(1).default(0),
  labelSmoothing: z.number().min(0).max(0.5).default(0),
  /** Rarer classes count more, so that each class weighs the same in the loss. */
  classWeights: z.boolean().default(true),
  /** null trains on the images as they are. */
  augmentation: AugmentationSchema.nullable(),
  schedule: z.enum(['plateau', 'cosine', 'step', 'constant']).default('cosine'),
  /** plateau: epochs without a better validation loss until the learning rate is multiplied by `plateauFactor`. */
  plateauPatience: z.int().min(1).max(1000).default(3),
  plateauFactor: z.number().positive().max(0.99).default(0.5),
  /** step: every so many epochs the learning rate is multiplied by `stepFactor`. */
  stepEpochs: z.int().min(1).max(1000).default(10),
  stepFactor: z.number().positive().max(0.99).default(0.3),
  /** Epochs without a better validation loss until the run ends; 0 never ends it early. */
  earlyStopping: z.int().min(0).max(1000).default(8),
  imageSize: z.int().min(16).max(1024),
  /** How an image becomes a square: black borders, the middle, or drawn out of shape. */
  aspect: z.enum(['pad', 'crop', 'stretch']).default('pad'),
  interpolation: z.enum(['bilinear', 'bicubic', 'area', 'nearest']).default('bilinear'),
  /** Grey or colour; null: colour for skin, grey for X-rays. */
  channels: z
    .union([z.literal(1), z.literal(3)])
    .nullable()
    .default(null),
  maxPerClass: z.int().min(2).nullable().default(null),
  /** What it starts from: `none` are random numbers, `imagenet` the kept ImageNet weights of the architecture, or a name. */
  weights: z.string().min(1).max(64).default('none'),
  /** `frozen`: batch normalisation stays as it was given, in the trained part too; usual with pretrained weights. */
  batchNorm: z.enum(['trained', 'frozen']).default('trained'),
  /** How deep training goes: the head and this many layers before it; the rest stays as it was given. */
  trainedLayers: z.union([z.literal('all'), z.int().min(0).max(10_000)]).default('all'),
  /**
   * The frozen rest is run once on so many augmented copies of each image, which epochs take in turn; 0 runs it anew in
   * every epoch.
   */
  frozenCopies: z.int().min(0).max(100).default(2),
  /** At which layer heatmaps are taken; null: where the architecture does best, see its card. */
  explanationLayer: z.string().min(1).max(100).nullable().default(null),
  /** Also make the graph in eight bits; it is kept only if it costs at most half a point of test accuracy. */
  int8: z.boolean().default(false),
})
export type Hyperparameters = Readonly<z.infer<typeof HyperparametersSchema>>
/** What a caller may give; the rest follows from preset, architecture and condition. */
export const GivenHyperparametersSchema = HyperparametersSchema.partial().extend({
  /** Spares the machine and changes no weights, so it is no hyperparameter that a result depends on. */
  cooling: GivenCoolingSchema.optional(),
})
export type GivenHyperparameters = Readonly<z.input<typeof GivenHyperparametersSchema>>

/** `maxPerClass` where the preset has one; the training page's action "the whole set" names the pair of heatmap presets. */
export const PRESETS: Readonly<
  Record<
    'quick' | 'standard' | 'intensive' | 'heatmap-standard' | 'heatmap-intensive',
    { readonly epochs: number; readonly maxPerClass?: number; readonly title: string }
  >
> = {
  quick: { epochs: 5, title: 'Quick: 5 epochs, to see whether the dataset works' },
  standard: { epochs: 25, title: 'Standard: 25 epochs' },
  intensive: { epochs: 50, title: 'Intensive: 50 epochs' },
  'heatmap-standard': {
    epochs: 10,
    maxPerClass: 500,
    title: 'Heatmap standard: 10 epochs, at most 500 images of each class; meant for DenseNet121',
  },
  'heatmap-intensive': {
    epochs: 15,
    maxPerClass: 500,
    title: 'Heatmap intensive: 15 epochs, at most 500 images of each class; meant for DenseNet121',
  },
}
export type Preset = keyof typeof PRESETS

export interface Defaults {
  readonly preset: Preset
  readonly learningRate: number
  readonly imageSize: number
  readonly augmentation: Augmentation
  /** `all` by default. */
  readonly trainedLayers?: number
  /** `trained` by default. */
  readonly batchNorm?: 'frozen'
}

/** Preset and architecture filled in, the caller's wishes on top. @throws AppError `invalid` naming the field */
export function completeHyperparameters(
  given: GivenHyperparameters,
  defaults: Defaults,
): Hyperparameters {
  const { learningRate, imageSize, augmentation, trainedLayers = 'all' } = defaults
  const { batchNorm = 'trained' } = defaults
  const { epochs, maxPerClass = null } = PRESETS[defaults.preset]
  const { cooling: _, augmentation: changes, ...wishes } = given
  const result = HyperparametersSchema.safeParse({
    epochs,
    maxPerClass,
    learningRate,
    imageSize,
    trainedLayers,
    batchNorm,
    augmentation: changes === null ? null : { ...augmentation, ...changes },
    ...wishes,
  })
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new AppError(
    'invalid',
    `The hyperparameter "${issue?.path.join('.') || '?'}" is wrong: ${issue?.message ?? 'not as expected'}.`,
  )
}

/** @throws AppError `invalid` */
export function parsePreset(text: string): Preset {
  if (Object.hasOwn(PRESETS, text)) return text as Preset
  const names = Object.keys(PRESETS).join(', ')
  throw new AppError('invalid', `"${text.slice(0, 80)}" is no preset; there are: ${names}.`)
}

/** Mirroring left and right is right for limbs and knees, wrong for a chest; skin has no up or down either. */
export function augmentationFor(bodyPart: string): Augmentation {
  const part = bodyPart.toLowerCase()
  const skin = part.includes('skin')
  return AugmentationSchema.parse({
    flipHorizontal: skin || !/chest|thorax|lung|heart|abdomen/.test(part),
    flipVertical: skin,
    ...(skin ? { rotationDegrees: 180 } : {}),
  })
}
