// Custom_CNN: about 2.1 million parameters and under 0.15 GMAC at 224 px, trained from scratch on one machine.
// Early layers are depthwise separable where the map is large (cheap), plain where it is small (expressive).
import * as tf from '@tensorflow/tfjs'
import { type Architecture, type BuildOptions, LINEAR_HEAD, TF_SCALING } from './architecture.ts'
import {
  apply,
  batchNorm,
  convolution,
  depthwise,
  type Features,
  imageInput,
  network,
  pooledTop,
} from './building.ts'

interface Stage {
  readonly filters: number
  readonly stride: 1 | 2
  readonly separable: boolean
}

/** After the stem (112x112 from 224): 56, 28, 14, 7. */
const STAGES: readonly Stage[] = [
  { filters: 32, stride: 2, separable: true },
  { filters: 48, stride: 1, separable: true },
  { filters: 96, stride: 2, separable: true },
  { filters: 96, stride: 1, separable: true },
  { filters: 192, stride: 2, separable: true },
  { filters: 192, stride: 1, separable: true },
  { filters: 256, stride: 2, separable: false },
  { filters: 256, stride: 1, separable: false },
  { filters: 416, stride: 1, separable: false },
]
const STEM = 24

function finished(x: Features, name: string): Features {
  const layer = tf.layers.reLU({ name: `${name}_relu` })
  return apply(layer, batchNorm(x, `${name}_bn`, { epsilon: 1e-3 }))
}

function build(options: BuildOptions): tf.LayersModel {
  const input = imageInput(options)
  const stem = { name: 'stem_conv', filters: STEM, kernel: 3, stride: 2 }
  let x = finished(convolution(input, stem), 'stem')
  for (const [index, { filters, stride, separable }] of STAGES.entries()) {
    const name = `stage${index + 1}`
    if (separable) {
      const seen = depthwise(x, { name: `${name}_depthwise`, kernel: 3, stride })
      x = finished(seen, `${name}_depthwise`)
    }
    const size = separable ? { kernel: 1 } : { kernel: 3, stride }
    x = finished(convolution(x, { name: `${name}_conv`, filters, ...size }), name)
  }
  const output = pooledTop(x, options, { name: 'dropout', rate: 0.2 })
  return network({ name: 'custom_cnn', input, output }, options)
}

export const customCnn: Architecture = {
  name: 'custom_cnn',
  title: 'Custom CNN',
  purpose: 'For training from scratch: fast, low memory.',
  inputSize: 224,
  channels: 'any',
  parameters: 2_100_000,
  gigaMacs: 0.13,
  activationMegabytes: 14,
  preprocessing: TF_SCALING,
  learningRate: 1e-3,
  build,
  explanation: { layer: `stage${STAGES.length}_relu`, reason: LINEAR_HEAD },
}
