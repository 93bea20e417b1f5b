// What torchvision calls the weights of each architecture, and in which layout it keeps them. Read off its models'
// state_dict() (torchvision 0.28); the last layer goes by several names in the wild.
import { AppError } from '../../errors.ts'
import type { AxisOrder, OwnWeight } from './places.ts'

export interface TorchPlace {
  /** Any of these; the first that is there. */
  readonly names: readonly string[]
  readonly axes: AxisOrder
  /** The network's shape, seen with more axes; VGG16's first dense layer reads a map, channels first. */
  readonly view?: readonly number[]
}

const PARTS: Readonly<Record<string, string>> = {
  kernel: 'weight',
  depthwise_kernel: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
}
const HWIO_OF_OIHW = [2, 3, 1, 0]
/** [height, width, channels, 1] of [channels, 1, height, width] */
const DEPTHWISE = [2, 3, 0, 1]
const TRANSPOSED = [1, 0]

/** Names of the modules that a layer may be, by architecture. */
const MODULES: Readonly<Record<string, (layer: string) => readonly string[] | undefined>> = {
  resnet50,
  densenet121,
  efficientnet_b0: efficientnet,
  efficientnet_b3: efficientnet,
  vgg16,
  vit_b_16: vit,
}

/** Whether there is a table for it. */
export function hasTorchNames(architecture: string): boolean {
  return Object.hasOwn(MODULES, architecture)
}

/** @throws AppError `invalid` for an architecture without published PyTorch weights */
export function torchPlace(weight: OwnWeight, architecture: string): TorchPlace {
  const modules = hasTorchNames(architecture) ? MODULES[architecture] : undefined
  if (!modules) {
    const known = Object.keys(MODULES).join(', ')
    throw new AppError('invalid', `PyTorch weights are read for ${known}; not for ${architecture}.`)
  }
  const { layer, part, shape } = weight
  const special = SPECIAL[part]
  if (special)
    return { names: [special(layer)], axes: part.endsWith('kernel') ? TRANSPOSED : undefined }
  const names = (modules(layer) ?? [layer]).map((module) => `${module}.${PARTS[part] ?? part}`)
  if (part === 'depthwise_kernel') return { names, axes: DEPTHWISE }
  if (part !== 'kernel') return { names, axes: undefined }
  if (shape.length === 4) return { names, axes: HWIO_OF_OIHW }
  if (layer === 'fc1') return { names, axes: HWIO_OF_OIHW, view: [7, 7, 512, 4096] }
  return { names, axes: TRANSPOSED }
}

/** Of the transformer's own layers. */
const SPECIAL: Readonly<Record<string, (layer: string) => string>> = {
  in_proj_kernel: (layer) => `${layer}.in_proj_weight`,
  in_proj_bias: (layer) => `${layer}.in_proj_bias`,
  out_proj_kernel: (layer) => `${layer}.out_proj.weight`,
  out_proj_bias: (layer) => `${layer}.out_proj.bias`,
  token: (layer) => layer,
  embedding: (layer) => layer,
}

/** Names of the last layer, the usual one first. @throws AppError `invalid` as `torchPlace` */
export function torchHeads(architecture: string): readonly string[] {
  const weight = { name: 'logits/bias', layer: 'logits', part: 'bias', shape: [1] }
  return torchPlace(weight, architecture).names.map((name) => name.replace(/\.bias$/, ''))
}

const isHead = (layer: string): boolean => layer === 'logits' || layer === 'predictions'

function resnet50(layer: string): readonly string[] | undefined {
  if (isHead(layer)) return ['fc', 'fc.0', 'fc.1']
  if (layer === 'conv1_conv') return ['conv1']
  if (layer === 'conv1_bn') return ['bn1']
  const found = /^conv(\d)_block(\d)_(\d)_(conv|bn)$/.exec(layer)
  if (!found) return undefined
  const [, stage, block, part, kind] = found
  const module = `layer${Number(stage) - 1}.${Number(block) - 1}`
  if (part === '0') return [`${module}.downsample.${kind === 'conv' ? 0 : 1}`]
  return [`${module}.${kind}${part}`]
}

function densenet121(layer: string): readonly string[] | undefined {
  if (isHead(layer)) return ['classifier', 'classifier.0', 'classifier.1']
  if (layer === 'conv1_conv') return ['features.conv0']
  if (layer === 'conv1_bn') return ['features.norm0']
  if (layer === 'bn') return ['features.norm5']
  const pool = /^pool(\d)_(conv|bn)$/.exec(layer)
  if (pool)
    return [`features.transition${Number(pool[1]) - 1}.${pool[2] === 'bn' ? 'norm' : 'conv'}`]
  const found = /^conv(\d)_block(\d+)_(\d)_(conv|bn)$/.exec(layer)
  if (!found) return undefined
  const [, stage, block, part, kind] = found
  const module = `features.denseblock${Number(stage) - 1}.denselayer${block}`
  return [kind === 'bn' ? `${module}.norm${Number(part) + 1}` : `${module}.conv${part}`]
}

function efficientnet(layer: string): readonly string[] | undefined {
  if (isHead(layer)) return ['classifier.1', 'classifier', 'classifier.0']
  const ends: Readonly<Record<string, string>> = {
    stem_conv: 'features.0.0',
    stem_bn: 'features.0.1',
    top_conv: 'features.8.0',
    top_bn: 'features.8.1',
  }
  if (ends[layer]) return [ends[layer]]
  const found = /^block(\d)([a-z])_(\w+)$/.exec(layer)
  if (!found) return undefined
  const [, stage, letter = 'a', part = ''] = found
  const block = `features.${stage}.${letter.charCodeAt(0) - 'a'.charCodeAt(0)}.block`
  // The first stage does not widen, so that all that follows comes one earlier.
  const first = stage === '1' ? 0 : 1
  const parts: Readonly<Record<string, string>> = {
    expand_conv: '0.0',
    expand_bn: '0.1',
    dwconv: `${first}.0`,
    bn: `${first}.1`,
    se_reduce: `${first + 1}.fc1`,
    se_expand: `${first + 1}.fc2`,
    project_conv: `${first + 2}.0`,
    project_bn: `${first + 2}.1`,
  }
  return parts[part] === undefined ? undefined : [`${block}.${parts[part]}`]
}

/** Places of the convolutions among torchvision's features, block by block. */
const VGG_PLACES = [
  [0, 2],
  [5, 7],
  [10, 12, 14],
  [17, 19, 21],
  [24, 26, 28],
]

function vgg16(layer: string): readonly string[] | undefined {
  if (isHead(layer)) return ['classifier.6', 'classifier']
  if (layer === 'fc1') return ['classifier.0']
  if (layer === 'fc2') return ['classifier.3']
  const found = /^block(\d)_conv(\d)$/.exec(layer)
  const place = VGG_PLACES[Number(found?.[1]) - 1]?.[Number(found?.[2]) - 1]
  return place === undefined ? undefined : [`features.${place}`]
}

/** Its layers have torchvision's names here. */
function vit(layer: string): readonly string[] | undefined {
  return isHead(layer) || layer === 'heads.head' ? ['heads.head', 'heads', 'head'] : undefined
}
