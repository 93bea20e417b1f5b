// Which architecture a file of weights is of, by what only that one has in it, and how many channels its images have.
import { AppError } from '../../errors.ts'
import type { KerasLayers } from '../../formats/keras-layers.ts'
import type { TorchWeights } from './by-torch-name.ts'
import type { OpenWeights } from './weights-file.ts'

type Shape = readonly number[]

/** @throws AppError `invalid` asking for its name when nothing tells */
export async function recognise(file: OpenWeights): Promise<string> {
  const found = 'torch' in file ? fromTorch(file.torch) : await fromKeras(file.keras)
  if (found) return found
  throw new AppError(
    'invalid',
    'Which architecture the weights are of cannot be told from the file; say it with --architecture.',
  )
}

function shapeIn({ names, source }: TorchWeights, name: string): Shape | undefined {
  return source.tensors.get(names.get(name) ?? '')?.shape
}

function fromTorch(torch: TorchWeights): string | undefined {
  const has = (name: string): boolean => torch.names.has(name)
  if (has('encoder.pos_embedding') && shapeIn(torch, 'conv_proj.weight')?.join() === '768,3,16,16')
    return 'vit_b_16'
  const last = 'features.denseblock4.denselayer16'
  if (has(`${last}.conv2.weight`) && !has('features.denseblock3.denselayer25.conv2.weight')) {
    return has('features.denseblock4.denselayer17.conv2.weight') ? undefined : 'densenet121'
  }
  if (has('layer3.5.conv3.weight') && !has('layer3.6.conv3.weight')) return 'resnet50'
  if (has('features.1.0.block.1.fc1.weight')) {
    return EFFICIENTNETS[shapeIn(torch, 'features.0.0.weight')?.[0] ?? 0]
  }
  const isVgg = shapeIn(torch, 'features.28.weight')?.join() === '512,512,3,3'
  return isVgg && !has('features.1.weight') ? 'vgg16' : undefined
}

/** By the filters of the first convolution; B1 has those of B0 but more blocks, which the fitting notices. */
const EFFICIENTNETS: Readonly<Record<number, string>> = {
  32: 'efficientnet_b0',
  40: 'efficientnet_b3',
}

async function fromKeras({ layers }: KerasLayers): Promise<string | undefined> {
  const named = new Map(layers.map((layer) => [layer.name, layer]))
  const shapeOf = async (name: string): Promise<Shape> =>
    (await named.get(name)?.read())?.[0]?.shape ?? []
  // DenseNet's files are older than today's names.
  const isDense = named.has('conv5_block16_2_conv') && !named.has('conv5_block17_2_conv')
  if (isDense) return named.has('conv4_block25_2_conv') ? undefined : 'densenet121'
  if (named.has('conv5_block3_3_conv') && !named.has('conv4_block7_3_conv')) return 'resnet50'
  if (named.has('block5_conv3') && !named.has('block5_conv4')) return 'vgg16'
  if (named.has('block1a_dwconv')) return EFFICIENTNETS[(await shapeOf('stem_conv'))[3] ?? 0]
  if (!named.has('block_16_project')) return undefined
  const [first, last] = [await shapeOf('Conv1'), await shapeOf('block_16_project')]
  return MOBILENETS[`${first[3]} ${last[3]}`]
}

/** Filters of the first convolution and of the last block, for each width that Keras publishes. */
const MOBILENETS: Readonly<Record<string, string>> = {
  '16 112': 'mobilenet_v2_035',
  '16 160': 'mobilenet_v2_050',
  '24 240': 'mobilenet_v2_075',
  '32 320': 'mobilenet_v2_100',
  '40 416': 'mobilenet_v2_130',
  '48 448': 'mobilenet_v2_140',
}

const TORCH_STEMS = ['conv_proj', 'features.conv0', 'conv1', 'features.0.0', 'features.0']

/** Of the images that the first convolution looks at. @throws AppError `invalid-package` */
export async function channelsOf(file: OpenWeights): Promise<1 | 3> {
  const channels = 'torch' in file ? torchChannels(file.torch) : await kerasChannels(file.keras)
  if (channels === 1 || channels === 3) return channels
  throw new AppError(
    'invalid-package',
    'The first layer of these weights does not look at images with 1 or 3 channels.',
  )
}

function torchChannels(torch: TorchWeights): number | undefined {
  const shapes = TORCH_STEMS.map((stem) => shapeIn(torch, `${stem}.weight`))
  return shapes.find((shape) => shape?.length === 4)?.[1]
}

async function kerasChannels({ layers }: KerasLayers): Promise<number | undefined> {
  for (const layer of layers) {
    const [kernel] = await layer.read()
    if (kernel?.shape.length === 4) return kernel.shape[2]
  }
  return undefined
}
