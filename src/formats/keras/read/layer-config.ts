// One layer of a Keras file in TF.js' words: which layers are read, what each of their settings becomes, and which settings
// would change the result without TF.js noticing, so that they are refused.
import { AppError } from '../../../errors.ts'
import { activationName } from './activation-names.ts'

export type Config = Readonly<Record<string, unknown>>

export interface TranslatedLayer {
  readonly className: string
  readonly config: Config
}

export interface KerasDialect {
  /** Keras' major version: some activations mean something else since 3. */
  readonly major: number
}

export function refused(sentence: string): AppError {
  return new AppError('invalid-package', sentence)
}

/** @throws AppError `invalid-package` naming the layer */
export function translateLayer(
  className: string,
  config: Config,
  dialect: KerasDialect,
): TranslatedLayer {
  const name = typeof config.name === 'string' ? config.name : className
  const said: Said = { config, name, called: `"${name.slice(0, 60)}" (${className.slice(0, 40)})` }
  if (className === 'Lambda') {
    throw refused(
      `The model holds code in its layer ${said.called}, which is never executed; save it without Lambda layers or export it to ONNX.`,
    )
  }
  const layer = Object.hasOwn(LAYERS, className) ? LAYERS[className] : undefined
  if (!layer) {
    throw refused(`The layer ${said.called} is not supported; export the model to ONNX instead.`)
  }
  if (config.data_format === 'channels_first') {
    throw refused(`The layer ${said.called} has its channels first; only channels last are read.`)
  }
  const { as = className, keeps, more } = layer
  const kept = Object.fromEntries(
    keeps.filter((key) => config[key] !== undefined).map((key) => [key, config[key]]),
  )
  const own = { name, trainable: config.trainable !== false, ...kept, ...more?.(said, dialect) }
  const { class_name: other = as, ...rest } = own as Config
  return { className: String(other), config: rest }
}

interface Said {
  readonly config: Config
  readonly name: string
  readonly called: string
}

interface LayerRule {
  /** TF.js' class, when it has another name. */
  readonly as?: string
  /** Settings that both know under one name. */
  readonly keeps: readonly string[]
  /** The others; `class_name` chooses another class. */
  readonly more?: (said: Said, dialect: KerasDialect) => Config
}

/** Filled with what the file holds before anything is computed. */
const STORED = { class_name: 'StoredWeights', config: {} }
const IDENTITY: LayerRule = { as: 'Activation', keeps: [], more: () => ({ activation: 'linear' }) }
const MERGING = 'Add Subtract Multiply Average Maximum Minimum'.split(' ')
const WINDOW = ['strides', 'padding', 'dilation_rate', 'use_bias'] as const

const kernelOf = (...names: readonly string[]): Config =>
  Object.fromEntries([...names, 'bias'].map((name) => [`${name}_initializer`, STORED]))

/** They change images in training only. */
const IN_TRAINING_ONLY =
  'RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation RandomSharpness RandomShear RandAugment AugMix CutMix MixUp'.split(
    ' ',
  )

const BATCH_NORMALIZATIONS =
  'BatchNormalization BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization'.split(' ')

const BATCH_NORMALIZATION: LayerRule = {
  as: 'BatchNormalization',
  keeps: ['momentum', 'epsilon', 'center', 'scale'],
  more: (said) => ({
    ...only(said, 'renorm', [false]),
    axis: oneAxis(said),
    ...norm(['gamma', 'beta', 'moving_mean', 'moving_variance']),
  }),
}

const LAYERS: Readonly<Record<string, LayerRule>> = {
  Conv2D: {
    keeps: ['filters', 'kernel_size', ...WINDOW],
    more: (said, dialect) => ({
      ...activationOf(said, dialect),
      ...kernelOf('kernel'),
      ...groupsOf(said),
    }),
  },
  Conv2DTranspose: {
    keeps: ['filters', 'kernel_size', 'strides', 'padding', 'use_bias'],
    more: (said, dialect) => ({
      ...only(said, 'output_padding', [null]),
      ...onlyOnes(said, 'dilation_rate'),
      ...activationOf(said, dialect),
      ...kernelOf('kernel'),
    }),
  },
  DepthwiseConv2D: {
    keeps: ['kernel_size', 'depth_multiplier', ...WINDOW],
    more: (said, dialect) => ({ ...activationOf(said, dialect), ...kernelOf('depthwise') }),
  },
  SeparableConv2D: {
    keeps: ['filters', 'kernel_size', 'depth_multiplier', ...WINDOW],
    more: (said, dialect) => ({
      ...activationOf(said, dialect),
      ...kernelOf('depthwise', 'pointwise'),
    }),
  },
  Dense: {
    keeps: ['units', 'use_bias'],
    more: (said, dialect) => ({
      ...only(said, 'lora_rank', [null]),
      ...activationOf(said, dialect),
      ...kernelOf('kernel'),
    }),
  },
  ...Object.fromEntries(BATCH_NORMALIZATIONS.map((name) => [name, BATCH_NORMALIZATION])),
  GroupNormalization: {
    keeps: ['groups', 'epsilon', 'center', 'scale'],
    more: (said) => {
      const axis = oneAxis(said)
      if (axis !== -1 && axis !== 3) throw otherAxis(said)
      return {}
    },
  },
  LayerNormalization: {
    keeps: ['axis', 'epsilon', 'center', 'scale'],
    more: (said) => ({ ...only(said, 'rms_scaling', [false]), ...norm(['gamma', 'beta']) }),
  },
  UnitNormalization: operation('l2Normalize', ({ config }) => ({ axis: config.axis ?? -1 })),
  Normalization: { keeps: ['axis', 'mean', 'variance', 'invert'] },
  Rescaling: {
    keeps: ['scale', 'offset'],
    more: ({ config }) =>
      Array.isArray(config.scale) || Array.isArray(config.offset)
        ? { class_name: 'ChannelRescaling' }
        : {},
  },
  Resizing: { as: 'KerasResizing', keeps: ['height', 'width'], more: resizing },
  CenterCrop: {
    as: 'KerasResizing',
    keeps: ['height', 'width'],
    more: () => ({ interpolation: 'bilinear', centre: true }),
  },
  LayerScale: { keeps: [] },
  StochasticDepth: IDENTITY,
  CustomScaleLayer: operation('addScaled', ({ config }) => ({ scale: config.scale }), 2),
  Activation: { keeps: [], more: activationOf },
  ReLU: {
    keeps: ['max_value'],
    more: (said) => {
      const { negative_slope, max_value, threshold } = said.config
      const slope = Number(negative_slope ?? 0)
      const isPlain = Number(threshold ?? 0) === 0
      if (slope === 0 && isPlain) return {}
      if (isPlain && (max_value ?? null) === null) return { class_name: 'LeakyReLU', alpha: slope }
      return operationConfig('generalRelu', {
        negativeSlope: negative_slope,
        maxValue: max_value,
        threshold,
      })
    },
  },
  LeakyReLU: {
    keeps: [],
    more: ({ config }) => ({ alpha: Number(config.negative_slope ?? config.alpha ?? 0.3) }),
  },
  PReLU: { keeps: ['shared_axes'], more: () => ({ alpha_initializer: STORED }) },
  ELU: { keeps: ['alpha'] },
  ThresholdedReLU: { keeps: ['theta'] },
  Softmax: { keeps: ['axis'] },
  MaxPooling2D: { keeps: ['pool_size', 'strides', 'padding'] },
  AveragePooling2D: { keeps: ['pool_size', 'strides', 'padding'] },
  GlobalAveragePooling2D: { keeps: [], more: (said) => kept(said, 'mean') },
  GlobalMaxPooling2D: { keeps: [], more: (said) => kept(said, 'max') },
  GlobalAveragePooling1D: { keeps: [], more: (said) => only(said, 'keepdims', [false]) },
  ZeroPadding2D: { keeps: ['padding'] },
  Cropping2D: { keeps: ['cropping'] },
  UpSampling2D: {
    keeps: ['size'],
    more: (said) => {
      only(said, 'interpolation', ['nearest', 'bilinear'])
      if (said.config.interpolation === 'bilinear') return { class_name: 'SmoothUpSampling2D' }
      return { interpolation: 'nearest' }
    },
  },
  Flatten: { keeps: [] },
  Reshape: { keeps: ['target_shape'] },
  Permute: { keeps: ['dims'] },
  Concatenate: { keeps: ['axis'] },
  ...Object.fromEntries(MERGING.map((name) => [name, { keeps: [] }])),
  Dropout: { keeps: ['rate', 'noise_shape', 'seed'] },
  SpatialDropout2D: { as: 'Dropout', keeps: ['rate'] },
  AlphaDropout: { keeps: ['rate'] },
  GaussianDropout: { keeps: ['rate'] },
  GaussianNoise: { keeps: ['stddev'] },
  Identity: IDENTITY,
  ActivityRegularization: IDENTITY,
  ...Object.fromEntries(IN_TRAINING_ONLY.map((name) => [name, IDENTITY])),
}

/** Refuses a setting that is not one of these; one that is missing is as usual. Null counts as missing. */
function only({ config, called }: Said, key: string, allowed: readonly unknown[]): Config {
  const value = config[key] ?? undefined
  if (value === undefined || allowed.includes(value)) return {}
  const shown = JSON.stringify(value).slice(0, 40)
  throw refused(`The layer ${called} has ${key} ${shown}, which is not supported.`)
}

function onlyOnes(said: Said, key: string): Config {
  const list = [said.config[key] ?? 1].flat()
  return list.every((n) => n === 1) ? {} : only(said, key, [])
}

function groupsOf({ config }: Said): Config {
  const groups = Number(config.groups ?? 1)
  return groups === 1 ? {} : { class_name: 'GroupedConv2D', groups }
}

/** A layer that is one operation on its inputs. */
function operation(
  name: string,
  options: (said: Said) => Readonly<Record<string, unknown>>,
  inputs = 1,
): LayerRule {
  return {
    as: 'KerasOperation',
    keeps: [],
    more: (said) => operationConfig(name, options(said), inputs),
  }
}

function operationConfig(name: string, options: object, inputs = 1): Config {
  const operands = Array.from({ length: inputs }, (_, input) => ({ input }))
  const call = JSON.stringify({ operands, options })
  return { class_name: 'KerasOperation', operation: name, call }
}

function resizing(said: Said): Config {
  const { config } = said
  only(said, 'interpolation', ['bilinear', 'nearest'])
  only(said, 'antialias', [false])
  const aspect = config.crop_to_aspect_ratio
    ? 'crop'
    : config.pad_to_aspect_ratio
      ? 'pad'
      : 'stretch'
  const fillValue = Number(config.fill_value ?? 0)
  return { interpolation: config.interpolation ?? 'bilinear', aspect, fill_value: fillValue }
}

function otherAxis({ called }: Said): AppError {
  return refused(
    `The layer ${called} works over another axis than the last, which is not read here.`,
  )
}

/** Keras 2 writes a list with one axis. */
function oneAxis({ config, called }: Said): number {
  const axes = [config.axis ?? -1].flat()
  const [axis] = axes
  if (axes.length === 1 && Number.isInteger(axis)) return Number(axis)
  throw refused(`The layer ${called} works over several axes, which is not supported.`)
}

function kept({ config }: Said, pooling: 'mean' | 'max'): Config {
  return config.keepdims === true ? { class_name: 'GlobalPooling2DKept', pooling } : {}
}

function norm(weights: readonly string[]): Config {
  return Object.fromEntries(weights.map((name) => [`${name}_initializer`, STORED]))
}

function activationOf({ config, called }: Said, { major }: KerasDialect): Config {
  const given = config.activation ?? 'linear'
  // A function of the user's own is an object; so is a built-in one in some versions.
  const name = typeof given === 'string' ? given : String((given as Config).config ?? 'unknown')
  const known = activationName(name, major)
  if (known) return { activation: known }
  throw refused(
    `The layer ${called} has the activation "${name.slice(0, 40)}", which is not supported.`,
  )
}
