// PyTorch weights by the names that torchvision gives them, whatever stands before those names and whichever version of
// torchvision or timm wrote them.
import { AppError } from '../../errors.ts'
import type { TensorSource } from '../../formats/tensor-source.ts'
import type { Fitting } from './by-name.ts'
import {
  checkShape,
  foreignShape,
  type OwnWeight,
  type Place,
  refuseLeftOver,
  reordered,
} from './places.ts'
import { torchPlace } from './torch-names.ts'

/** What is beside the weights in a state dict and has no part in an answer. */
const IGNORED = /(^|\.)(num_batches_tracked|op_threshs|total_ops|total_params)$/
/** Where a last layer may stand; a network without one has no place for it. */
const HEADS = /^(fc|classifier|heads?|heads\.head)(\.\d+)?\.(weight|bias)$/

export interface TorchWeights {
  /** By the name that torchvision gives it today; the value is the name in the file. */
  readonly names: ReadonlyMap<string, string>
  readonly source: TensorSource
}

/** Older and foreign spellings, as torchvision's own loading renames them, and those of timm's ViT. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [
    /^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var|num_batches_tracked))$/,
    '$1$2',
  ],
  [/\.mlp\.linear_1\./, '.mlp.0.'],
  [/\.mlp\.linear_2\./, '.mlp.3.'],
  [/^blocks\.(\d+)\.norm([12])\./, 'encoder.layers.encoder_layer_$1.ln_$2.'],
  [
    /^blocks\.(\d+)\.attn\.qkv\.(weight|bias)$/,
    'encoder.layers.encoder_layer_$1.self_attention.in_proj_$2',
  ],
  [/^blocks\.(\d+)\.attn\.proj\./, 'encoder.layers.encoder_layer_$1.self_attention.out_proj.'],
  [/^blocks\.(\d+)\.mlp\.fc1\./, 'encoder.layers.encoder_layer_$1.mlp.0.'],
  [/^blocks\.(\d+)\.mlp\.fc2\./, 'encoder.layers.encoder_layer_$1.mlp.3.'],
  [/^patch_embed\.proj\./, 'conv_proj.'],
  [/^cls_token$/, 'class_token'],
  [/^pos_embed$/, 'encoder.pos_embedding'],
  [/^norm\.(weight|bias)$/, 'encoder.ln.$1'],
]

/** The file's names as torchvision would write them today. */
export function torchWeights(source: TensorSource): TorchWeights {
  const names = new Map<string, string>()
  const prefix = commonPrefix([...source.tensors.keys()])
  for (const name of source.tensors.keys()) {
    const bare = name.slice(prefix.length)
    const [pattern, spelling] = SPELLINGS.find(([one]) => one.test(bare)) ?? []
    names.set(pattern && spelling ? bare.replace(pattern, spelling) : bare, name)
  }
  return { names, source }
}

/** A wrapper puts one word before every name (`module.`, `model.`, `densenet121.`); no network here does. */
function commonPrefix(names: readonly string[]): string {
  const [first = ''] = names
  let prefix = ''
  for (let depth = 0; depth < 4; depth++) {
    const word = first.slice(prefix.length).split('.')[0] ?? ''
    const longer = `${prefix}${word}.`
    const isPart = /^(features|encoder|layer\d|blocks)$/.test(word)
    if (isPart || !names.every((name) => name.startsWith(longer))) return prefix
    prefix = longer
  }
  return prefix
}

/** @throws AppError `invalid-package` naming the tensor that is missing, too many, or of another shape */
export function placesByTorchName(
  torch: TorchWeights,
  { architecture, own, network }: Fitting & { readonly architecture: string },
): Place[] {
  const used = new Set<string>()
  const places = own.flat().map((weight) => {
    const { name, place } = placeOf(torch, { weight, architecture, network })
    used.add(name)
    return place
  })
  const leftOver = [...torch.names.keys()].filter(
    (name) => !used.has(name) && !IGNORED.test(name) && !isUnusedHead(name, architecture),
  )
  refuseLeftOver(leftOver, network)
  return places
}

function isUnusedHead(name: string, architecture: string): boolean {
  return HEADS.test(name) || (architecture === 'vgg16' && name.startsWith('classifier.'))
}

function placeOf(
  { names, source }: TorchWeights,
  o: { readonly weight: OwnWeight; readonly architecture: string; readonly network: string },
): { readonly name: string; readonly place: Place } {
  const { weight, network } = o
  const { names: wanted, axes, view } = torchPlace(weight, o.architecture)
  const name = wanted.find((one) => names.has(one))
  const inFile = name === undefined ? undefined : names.get(name)
  const info = inFile === undefined ? undefined : source.tensors.get(inFile)
  if (name === undefined || inFile === undefined || !info) {
    throw new AppError(
      'invalid-package',
      `The file has no weight "${wanted[0]}", which ${network} needs; it is of another network, or only a part of one.`,
    )
  }
  const shape = view ?? weight.shape
  const seen = foreignShape(shape, axes)
  const [outputs = 0, ...inputs] = seen
  const plain = view ? [outputs, inputs.reduce((n, dim) => n * dim, 1)] : seen
  checkShape(inFile, { found: info.shape, wanted: plain, network })
  const read = async () => reordered(await source.read(inFile), { shape, axes })
  return { name, place: { weight, read } }
}
