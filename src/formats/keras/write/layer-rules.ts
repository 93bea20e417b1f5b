// What each TF.js layer is called in Keras and which of its settings go along, in words that Keras 2 and 3 both know.
// The layers of a vision transformer are in attention-layers.ts.
import type { Config } from './keras-model.ts'

export interface LayerRule {
  readonly as?: string
  readonly keeps: readonly string[]
  readonly more?: (config: Config) => Config
  /** Keras 2 does not know this. */
  readonly onlyKeras3?: true
}

const MERGING: LayerRule = { keeps: [] }
const WINDOW = ['kernel_size', 'strides', 'padding', 'dilation_rate', 'use_bias', 'activation']
const POOLING: LayerRule = { keeps: ['pool_size', 'strides', 'padding'], more: channelsLast }

export const LAYER_RULES: Readonly<Record<string, LayerRule>> = {
  InputLayer: { keeps: [] },
  Conv2D: { keeps: ['filters', ...WINDOW], more: channelsLast },
  DepthwiseConv2D: { keeps: ['depth_multiplier', ...WINDOW], more: channelsLast },
  SeparableConv2D: { keeps: ['filters', 'depth_multiplier', ...WINDOW], more: channelsLast },
  Dense: { keeps: ['units', 'use_bias', 'activation'] },
  BatchNormalization: { keeps: ['axis', 'momentum', 'epsilon', 'center', 'scale'] },
  LayerNormalization: { keeps: ['axis', 'epsilon', 'center', 'scale'] },
  Normalization: {
    keeps: ['axis', 'mean', 'variance'],
    // Keras 2 does not know the word.
    more: ({ invert }) => (invert === true ? { invert } : {}),
  },
  Rescaling: { keeps: ['scale', 'offset'] },
  Activation: { keeps: ['activation'] },
  ReLU: { keeps: ['max_value'], more: () => ({ negative_slope: 0, threshold: 0 }) },
  LeakyReLU: { keeps: ['alpha'] },
  PReLU: { keeps: ['shared_axes'] },
  ELU: { keeps: ['alpha'] },
  Softmax: { keeps: ['axis'] },
  MaxPooling2D: POOLING,
  AveragePooling2D: POOLING,
  GlobalAveragePooling2D: { keeps: [], more: channelsLast },
  GlobalMaxPooling2D: { keeps: [], more: channelsLast },
  GlobalPooling2DKept: {
    keeps: [],
    more: ({ pooling }) => ({
      class_name: pooling === 'max' ? 'GlobalMaxPooling2D' : 'GlobalAveragePooling2D',
      keepdims: true,
    }),
  },
  GlobalAveragePooling1D: { keeps: [] },
  ZeroPadding2D: { keeps: ['padding'], more: channelsLast },
  Cropping2D: { keeps: ['cropping'], more: channelsLast },
  UpSampling2D: { keeps: ['size', 'interpolation'], more: channelsLast },
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
  GaussianDropout: { keeps: ['rate'] },
  GaussianNoise: { keeps: ['stddev'] },
}

function channelsLast(): Config {
  return { data_format: 'channels_last' }
}
