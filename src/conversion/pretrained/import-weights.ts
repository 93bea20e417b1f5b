// From a file of weights to pretrained weights that are kept: which network they are of, whether every number has its place,
// and the numbers in one layout, without the head. Needs TF.js for the shapes of the network: for commands and child processes.
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  type Architecture,
  type PixelScaling,
  TF_SCALING,
  TORCH_SCALING,
} from '../../architectures/architecture.ts'
import { getArchitecture } from '../../architectures/catalogue.ts'
import { AppError } from '../../errors.ts'
import { shownName } from '../../formats/tensor-source.ts'
import { writeSafetensors } from '../../formats/torch/safetensors.ts'
import { parseName } from '../../package/ids.ts'
import { fit, variantOf } from '../fitting/fit.ts'
import type { Place } from '../fitting/places.ts'
import { channelsOf, recognise } from '../fitting/recognise.ts'
import {
  hashedFile,
  type OpenWeights,
  weightsFormat,
  withWeightsFile,
} from '../fitting/weights-file.ts'
import { parseScaling } from '../import/foreign-fields.ts'
import { checkSums } from './check-sums.ts'
import { findPublished, type PublishedFile } from './published-files.ts'
import {
  findWeights,
  imagenetName,
  keepWeights,
  newNumbersPath,
  type StoredWeights,
} from './weights-store.ts'

export interface ImportOptions {
  readonly dataDir: string
  /** A file, or a folder with model.json. */
  readonly path: string
  /** Told from the file by default. */
  readonly architecture?: string | undefined
  /** `<architecture>-imagenet` for a file that is published as such, else the file's own, by default. */
  readonly name?: string | undefined
  /** How the images were scaled that the weights were trained on; that of their library by default. */
  readonly scaling?: PixelScaling | undefined
  readonly url?: string | undefined
  /** As it was published; the base name of `path` by default. */
  readonly fileName?: string | undefined
  /** Instead of weights that have the name already. */
  readonly replace?: boolean | undefined
  readonly at: Date
}

/** @throws AppError `invalid`, `invalid-package`, `conflict`, each in one sentence; nothing is changed then */
export async function importWeights(wishes: ImportOptions): Promise<StoredWeights> {
  const { path, dataDir, at } = wishes
  const format = await weightsFormat(path)
  const sums = await checkSums(hashedFile(path, format))
  const published = findPublished(sums)
  return withWeightsFile(path, async (file) => {
    const architecture = getArchitecture(
      wishes.architecture ?? published?.architecture ?? (await recognise(file)),
    )
    const name = nameOf({ ...wishes, architecture, published })
    const before = await findWeights(dataDir, name)
    if (before && !wishes.replace) {
      if (before.source.sha256 === sums.sha256) return before
      throw new AppError(
        'conflict',
        `There are other weights called "${name}" already; give these another --name, or replace those with --replace.`,
      )
    }
    const variant = await variantOf(file, { architecture })
    const channels = await channelsOf(file)
    const scaling = wishes.scaling ?? defaultScaling(file, { architecture, channels })
    const { inputSize: side } = architecture
    const shape = { height: side, width: side, channels, outputs: 1, seed: 0 } as const
    const model = architecture.build({ ...shape, variant, top: 'none', weights: 'zeros' })
    const temporary = await newNumbersPath(dataDir)
    try {
      const places = await fit(model, { file, architecture })
      await writeNumbers(temporary, places)
      const { sha256 } = await checkSums(temporary)
      const weights: StoredWeights = {
        schema: 1,
        name,
        architecture: architecture.name,
        variant,
        channels,
        imageSize: architecture.name === 'vit_b_16' ? side : null,
        scaling: {
          ...scaling,
          mean: scaling.mean.slice(0, channels),
          std: scaling.std.slice(0, channels),
        },
        parameters: model.countParams(),
        sha256,
        file: `${name}.${sha256.slice(0, 12)}.safetensors`,
        source: {
          fileName: wishes.fileName ?? basename(path).slice(0, 200),
          format,
          ...sums,
          url: wishes.url ?? null,
          published: published?.title ?? null,
        },
        importedAt: at.toISOString(),
      }
      await keepWeights(dataDir, { from: temporary, weights })
      return weights
    } finally {
      model.dispose()
      await rm(temporary, { force: true })
    }
  })
}

function nameOf(o: {
  readonly name?: string | undefined
  readonly path: string
  readonly architecture: Architecture
  readonly published: PublishedFile | undefined
}): string {
  if (o.name !== undefined) return parseName(o.name, 'name')
  if (o.published) return publishedName(o.published)
  const bare = basename(o.path).replace(/(\.weights)?\.[a-z0-9]+$/i, '')
  const plain = bare.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, '-')
  return parseName(plain.replace(/^[^a-z0-9]+/, '').slice(0, 64) || o.architecture.name, 'name')
}

/** Those of Keras are what `imagenet` means; others of the same architecture stand beside them. */
export function publishedName({ key, architecture }: PublishedFile): string {
  return key === undefined || key === architecture ? imagenetName(architecture) : key
}

/** @throws AppError `invalid` when it cannot be known */
function defaultScaling(
  file: OpenWeights,
  o: { readonly architecture: Architecture; readonly channels: 1 | 3 },
): PixelScaling {
  const usual = 'torch' in file ? torchScaling(file.torch.names) : o.architecture.preprocessing
  const isAlike = new Set(usual.mean).size === 1 && new Set(usual.std).size === 1
  if (isAlike || o.channels === 3) return usual
  throw new AppError(
    'invalid',
    'These weights look at grey images, and nobody publishes how those are scaled: say it with --preprocessing.',
  )
}

function torchScaling(names: ReadonlyMap<string, string>): PixelScaling {
  // torchxrayvision keeps its operating points beside the weights.
  if (names.has('op_threshs')) return parseScaling('xrv') ?? TORCH_SCALING
  // timm's ViT, told by a name that torchvision never had, was trained on values from -1 to 1.
  return names.get('class_token')?.endsWith('cls_token') ? TF_SCALING : TORCH_SCALING
}

/** One after the other, so that no more than one is in memory. @throws AppError `invalid-package` */
async function writeNumbers(path: string, places: readonly Place[]): Promise<void> {
  const named = new Map(places.map((place) => [place.weight.name, place]))
  const tensors = places.map(({ weight: { name, shape } }) => ({ name, shape }))
  const valuesOf = async (name: string): Promise<Float32Array> => {
    const values = (await named.get(name)?.read()) ?? new Float32Array()
    if (values.every(Number.isFinite)) return values
    throw new AppError(
      'invalid-package',
      `The weight "${shownName(name)}" holds what is no number; the training that left it had failed.`,
    )
  }
  await writeSafetensors(path, { tensors, valuesOf })
}
