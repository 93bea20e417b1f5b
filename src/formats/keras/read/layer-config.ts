// One layer of a Keras file in TF.js' words: which layers are read, what each of their settings becomes, and which settings
// would change the result without TF.js noticing, so that they are refused.
import { AppError } from '../../../errors.ts'

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
  if (/Lambda$/.test(className)) {
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
const MERGING: LayerRule = { keeps: [] }
const WINDOW = ['strides', 'padding', 'dilation_rate', 'use_bias'] as const

const kernelOf = (...names: readonly string[]): Config =>
  Object.fromEntries([...names, 'bias'].map((name) => [`${name}_initializer`, STORED]))

const LAYERS: Readonly<Record<string, LayerRule>> = {
  Conv2D: {
    keeps: ['filters', 'kernel_size', ...WINDOW],
    more: (said, dialect) => ({
      ...only(said, 'groups', [1]),
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
  BatchNormalization: {
    keeps: ['momentum', 'epsilon', 'center', 'scale'],
    more: (said) => ({
      ...only(said, 'renorm', [false]),
      axis: oneAxis(said),
      ...norm(['gamma', 'beta', 'moving_mean', 'moving_variance']),
    }),
  },
  LayerNormalization: {
    keeps: ['axis', 'epsilon', 'center', 'scale'],
    more: (said) => ({ ...only(said, 'rms_scaling', [false]), ...norm(['gamma', 'beta']) }),
  },
  Normalization: { keeps: ['axis', 'mean', 'variance', 'invert'] },
  Rescaling: { keeps: ['scale', 'offset'] },
  Activation: { keeps: [], more: activationOf },
  ReLU: {
    keeps: ['max_value'],
    more: (said) => {
      only(said, 'threshold', [0])
      const slope = Number(said.config.negative_slope ?? 0)
      if (slope === 0) return {}
      only(said, 'max_value', [null])
      return { class_name: 'LeakyReLU', alpha: slope }
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
    more: (said) => ({ ...only(said, 'interpolation', ['nearest']), interpolation: 'nearest' }),
  },
  Flatten: { keeps: [] },
  Reshape: { keeps: ['target_shape'] },
  Permute: { keeps: ['dims'] },
  Concatenate: { keeps: ['axis'] },
  Add: MERGING,
  Subtract: MERGING,
  Multiply: MERGING,
  Average: MERGING,
  Maximum: MERGING,
  Minimum: MERGING,
  Dropout: { keeps: ['rate', 'noise_shape', 'seed'] },
  SpatialDropout2D: { as: 'Dropout', keeps: ['rate'] },
  AlphaDropout: { keeps: ['rate'] },
  GaussianDropout: { keeps: ['rate'] },
  GaussianNoise: { keeps: ['stddev'] },
  Identity: IDENTITY,
  ActivityRegularization: IDENTITY,
  // These change images in training only.
  RandomFlip: IDENTITY,
  RandomRotation: IDENTITY,
  RandomZoom: IDENTITY,
  RandomTranslation: IDENTITY,
  RandomContrast: IDENTITY,
  RandomBrightness: IDENTITY,
}

/** Refuses a setting that is not one of these; one that is missing is as usual. Null counts as missing. */
function only({ config, called }: Said, key: string, allowed: readonly unknown[]): Config {
  const value = config[key] ?? undefined
  if (value === undefined || allowed.includes(value)) return {}
  const shown = JSON.stringify(value).slice(0, 40)
  throw refused(`The layer ${called} has ${key} ${shown}, which is not supported.`)
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

/** Keras' name: TF.js' name. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  linear: 'linear',
  relu: 'relu',
  relu6: 'relu6',
  elu: 'elu',
  selu: 'selu',
  sigmoid: 'sigmoid',
  softplus: 'softplus',
  softsign: 'softsign',
  softmax: 'softmax',
  log_softmax: 'log_softmax',
  tanh: 'tanh',
  gelu: 'gelu',
  mish: 'mish',
  silu: 'swish',
  swish: 'swish',
  exponential: 'exponential',
  leaky_relu: 'leaky_relu',
  hard_silu: 'hard_silu',
  hard_swish: 'hard_silu',
}

function activationOf({ config, called }: Said, { major }: KerasDialect): Config {
  const given = config.activation ?? 'linear'
  // A function of the user's own is an object; so is a built-in one in some versions.
  const name = typeof given === 'string' ? given : String((given as Config).config ?? 'unknown')
  if (name === 'hard_sigmoid') {
    return { activation: major >= 3 ? 'hard_sigmoid3' : 'hard_sigmoid' }
  }
  const known = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  if (known) return { activation: known }
  throw refused(
    `The layer ${called} has the activation "${name.slice(0, 40)}", which is not supported.`,
  )
}
