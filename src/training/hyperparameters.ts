// Every hyperparameter, declared once: range, default, label and hint. Form, command line, reference and the record's schema
// follow from here; what a value does is where it is used. How to add one: docs/reference/hyperparameters.md.
import { z } from 'zod'
import { setting } from './setting-fields.ts'

const amount = { group: 'augmentation' } as const
const FLIP = { true: 'yes', false: 'no' }

/** Random changes of a training image; amounts are the largest ones, drawn anew for each image and epoch. */
export const AugmentationSchema = z.strictObject({
  // Not where the side matters (the heart lies left), see `augmentationFor`.
  flipHorizontal: setting(z.boolean().default(false), {
    label: 'Flip left–right',
    hint: 'Not for chest and abdomen, where the side matters.',
    otherwise: 'by body part',
    choices: FLIP,
    ...amount,
  }),
  flipVertical: setting(z.boolean().default(false), {
    label: 'Flip top–bottom',
    hint: 'For skin images.',
    otherwise: 'by body part',
    choices: FLIP,
    ...amount,
  }),
  rotationDegrees: setting(z.number().min(0).max(180).default(7), {
    label: 'Rotation',
    hint: 'Largest rotation in either direction.',
    unit: 'degrees',
    otherwise: '7; skin 180',
    ...amount,
  }),
  shift: setting(z.number().min(0).max(0.5).default(0.05), {
    label: 'Shift',
    hint: 'Largest shift, as a fraction of width and height.',
    ...amount,
  }),
  scale: setting(z.number().min(0).max(0.5).default(0.08), {
    label: 'Zoom',
    hint: 'Largest change of size; 0.1 is from 90% to 110%.',
    ...amount,
  }),
  brightness: setting(z.number().min(0).max(0.5).default(0.05), {
    label: 'Brightness',
    hint: 'Largest change, as a fraction of the value range.',
    ...amount,
  }),
  contrast: setting(z.number().min(0).max(0.9).default(0.12), {
    label: 'Contrast',
    hint: 'Largest relative change.',
    ...amount,
  }),
})
export type Augmentation = Readonly<z.infer<typeof AugmentationSchema>>

const learning = { group: 'learning' } as const
const images = { group: 'images' } as const

export const HyperparametersSchema = z.strictObject({
  epochs: setting(z.int().min(1).max(1000), {
    label: 'Epochs',
    hint: 'Passes over the training images.',
    otherwise: 'from the preset',
    option: 'epochs',
    ...learning,
  }),
  batchSize: setting(z.int().min(2).max(512).default(32), {
    label: 'Batch size',
    hint: 'Images per step; smaller needs less memory.',
    option: 'batch-size',
    ...learning,
  }),
  learningRate: setting(z.number().positive().max(1), {
    label: 'Learning rate',
    hint: 'After the warm-up.',
    otherwise: 'from the architecture',
    option: 'learning-rate',
    ...learning,
  }),
  optimizer: setting(z.enum(['adam', 'sgd']).default('adam'), {
    label: 'Optimizer',
    hint: 'Adam uses decoupled weight decay (AdamW).',
    choices: { adam: 'Adam', sgd: 'SGD with momentum' },
    ...learning,
  }),
  momentum: setting(z.number().min(0).max(0.999).default(0.9), {
    label: 'Momentum',
    hint: 'SGD only.',
    ...learning,
  }),
  seed: setting(z.int().min(0).max(2_147_483_647).default(42), {
    label: 'Seed',
    hint: 'For split, order and augmentation; the same seed gives the same weights.',
    option: 'seed',
    ...learning,
  }),
  weightDecay: setting(z.number().min(0).max(1).default(0), {
    label: 'Weight decay',
    hint: 'Decoupled, on kernels only.',
    ...learning,
  }),
  labelSmoothing: setting(z.number().min(0).max(0.5).default(0), {
    label: 'Label smoothing',
    hint: 'Fraction of the target spread over the other classes.',
    ...learning,
  }),
  classWeights: setting(z.boolean().default(true), {
    label: 'Disable class weighting',
    hint: 'With weighting every class has the same share of the loss, however few images it has.',
    check: 'false',
    ...learning,
  }),
  /** null trains on the images as they are. */
  augmentation: setting(AugmentationSchema.nullable(), {
    label: 'Disable augmentation',
    hint: 'Trains on the images without random changes.',
    otherwise: 'by body part',
    check: 'null',
    ...amount,
  }),
  schedule: setting(z.enum(['plateau', 'cosine', 'step', 'constant']).default('cosine'), {
    label: 'Learning rate schedule',
    hint: 'How the learning rate changes over the run.',
    choices: {
      cosine: 'Cosine decay',
      plateau: 'Reduce on plateau of the validation loss',
      step: 'Step decay',
      constant: 'Constant',
    },
    ...learning,
  }),
  plateauPatience: setting(z.int().min(1).max(1000).default(3), {
    label: 'Plateau: patience',
    hint: 'Epochs without a better validation loss before the rate is reduced.',
    unit: 'epochs',
    ...learning,
  }),
  plateauFactor: setting(z.number().positive().max(0.99).default(0.5), {
    label: 'Plateau: factor',
    hint: 'The learning rate is multiplied by it.',
    ...learning,
  }),
  stepEpochs: setting(z.int().min(1).max(1000).default(10), {
    label: 'Step: interval',
    hint: 'Epochs between two reductions.',
    unit: 'epochs',
    ...learning,
  }),
  stepFactor: setting(z.number().positive().max(0.99).default(0.3), {
    label: 'Step: factor',
    hint: 'The learning rate is multiplied by it.',
    ...learning,
  }),
  earlyStopping: setting(z.int().min(0).max(1000).default(8), {
    label: 'Early stopping',
    hint: 'Epochs without a better validation loss before the run ends; 0 disables it.',
    unit: 'epochs',
    ...learning,
  }),
  imageSize: setting(z.int().min(16).max(1024), {
    label: 'Image size',
    hint: 'Side of the input.',
    unit: 'px',
    otherwise: 'from the architecture',
    option: 'image-size',
    ...images,
  }),
  aspect: setting(z.enum(['pad', 'crop', 'stretch']).default('pad'), {
    label: 'Resize',
    hint: 'How an image that is not square becomes square.',
    choices: { pad: 'Pad with black', crop: 'Crop the longer side', stretch: 'Stretch' },
    ...images,
  }),
  interpolation: setting(z.enum(['bilinear', 'bicubic', 'area', 'nearest']).default('bilinear'), {
    label: 'Interpolation',
    hint: 'How pixels are resampled.',
    choices: { bilinear: 'Bilinear', bicubic: 'Bicubic', area: 'Area', nearest: 'Nearest' },
    ...images,
  }),
  channels: setting(
    z
      .union([z.literal(1), z.literal(3)])
      .nullable()
      .default(null),
    {
      label: 'Channels',
      hint: 'Channels of the input.',
      otherwise: 'greyscale for X-rays, colour for skin',
      choices: { 1: 'Greyscale', 3: 'Colour' },
      ...images,
    },
  ),
  maxPerClass: setting(z.int().min(2).nullable().default(null), {
    label: 'Images per class, at most',
    hint: 'A random sample of each class.',
    otherwise: 'as prepared',
    ...images,
  }),
  weights: setting(z.string().min(1).max(64).default('none'), {
    label: 'Initial weights',
    hint: 'none (random), imagenet, or a name from "weights list".',
    option: 'weights',
    hasOwnControl: true,
    ...learning,
  }),
  batchNorm: setting(z.enum(['trained', 'frozen']).default('trained'), {
    label: 'Batch normalisation',
    hint: 'Frozen keeps the pretrained statistics, in the unfrozen layers too.',
    otherwise: 'trained; frozen with pretrained weights',
    choices: { trained: 'Trained', frozen: 'Frozen' },
    ...learning,
  }),
  trainedLayers: setting(z.union([z.literal('all'), z.int().min(0).max(10_000)]).default('all'), {
    label: 'Unfrozen layers',
    hint: 'Number of layers before the head that are trained; 0 trains the head only.',
    otherwise: 'all; 20 with pretrained weights',
    ...learning,
  }),
  frozenCopies: setting(z.int().min(0).max(100).default(2), {
    label: 'Cached augmentations',
    hint: 'Augmented copies of each image whose frozen features are computed once; 0 computes them in every epoch.',
    ...learning,
  }),
  explanationLayer: setting(z.string().min(1).max(100).nullable().default(null), {
    label: 'Heatmap layer',
    hint: 'Layer at which heatmaps are computed.',
    otherwise: 'from the architecture',
    group: 'output',
  }),
  int8: setting(z.boolean().default(false), {
    label: 'Also export int8',
    hint: 'Smaller and usually faster; kept only if the test images show that accuracy is preserved.',
    check: 'true',
    option: 'int8',
    group: 'output',
  }),
})
export type Hyperparameters = Readonly<z.infer<typeof HyperparametersSchema>>
