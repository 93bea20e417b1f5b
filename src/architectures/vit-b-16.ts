// ViT-B/16 (Dosovitskiy et al. 2021), layer for layer as torchvision's vit_b_16 and under its names, attention in TF.js ops.
// The last block answers for the class token alone: no other token reaches the head, so the scores are the same.
import * as tf from '@tensorflow/tfjs'
import { layerNormalization } from '../engine/layers/layer-normalization.ts'
import '../engine/layers/registered.ts'
import { selfAttention } from '../engine/layers/self-attention.ts'
import { classToken, firstTokens, positionEmbedding } from '../engine/layers/tokens.ts'
import { type Architecture, type BuildOptions, TORCH_SCALING } from './architecture.ts'
import { apply, convolution, dense, type Features, imageInput, network } from './building.ts'

interface Transformer {
  readonly patch: number
  readonly width: number
  readonly heads: number
  readonly blocks: number
  readonly mlp: number
}
const BASE: Transformer = { patch: 16, width: 768, heads: 12, blocks: 12, mlp: 3072 }
const EPSILON = 1e-6
const IMAGENET_CLASSES = 1000

function normalised(x: Features, name: string): Features {
  return apply(layerNormalization({ name, epsilon: EPSILON }), x)
}

/** Pre-norm: x += attention(norm(x)), x += mlp(norm(x)). */
function block(x: Features, { heads, width, mlp, blocks }: Transformer, index: number): Features {
  const name = blockName(index)
  const isLast = index === blocks - 1
  const attention = { name: `${name}.self_attention`, heads, queries: isLast ? 1 : null }
  const answers = apply(selfAttention(attention), normalised(x, `${name}.ln_1`))
  const asking = isLast ? apply(firstTokens({ name: `${name}.class_token`, tokens: 1 }), x) : x
  const y = apply(tf.layers.add({ name: `${name}.add_1` }), [asking, answers])
  let z = normalised(y, `${name}.ln_2`)
  z = dense(z, { name: `${name}.mlp.0`, units: mlp, activation: 'gelu' })
  z = dense(z, { name: `${name}.mlp.3`, units: width })
  return apply(tf.layers.add({ name: `${name}.add_2` }), [y, z])
}

function blockName(index: number): string {
  return `encoder.layers.encoder_layer_${index}`
}

/** Of any size; ViT-B/16 by default. */
export function buildVit(options: BuildOptions, vit: Transformer = BASE): tf.LayersModel {
  const { patch, width } = vit
  const input = imageInput(options)
  const patches = { filters: width, kernel: patch, stride: patch, padding: 'valid' } as const
  let x = convolution(input, { name: 'conv_proj', bias: true, ...patches })
  const places = (x.shape[1] ?? 0) * (x.shape[2] ?? 0)
  x = apply(tf.layers.reshape({ name: 'tokens', targetShape: [places, width] }), x)
  x = apply(classToken('class_token'), x)
  x = apply(positionEmbedding('encoder.pos_embedding'), x)
  for (let index = 0; index < vit.blocks; index++) x = block(x, vit, index)
  x = apply(tf.layers.flatten({ name: 'features' }), normalised(x, 'encoder.ln'))
  return network({ name: 'vit_b_16', input, output: top(x, options) }, options)
}

function top(x: Features, { top: kind, outputs }: BuildOptions): Features {
  if (kind === 'none') return x
  if (kind === 'imagenet') return dense(x, { name: 'heads.head', units: IMAGENET_CLASSES })
  return dense(x, { name: 'logits', units: outputs })
}

export const vitB16: Architecture = {
  name: 'vit_b_16',
  title: 'ViT-B/16',
  purpose: 'Vision transformer; use only with pretrained weights.',
  inputSize: 224,
  channels: 'any',
  parameters: 85_406_000,
  gigaMacs: 16,
  activationMegabytes: 67,
  preprocessing: TORCH_SCALING,
  learningRate: 1e-4,
  build: (options) => buildVit(options),
  explanation: {
    layer: `${blockName(BASE.blocks - 1)}.ln_1`,
    reason:
      'What the last attention looks at, one vector for each patch: after it only the class token counts, so the patches of later layers explain nothing.',
  },
}
