// A file of weights of any kind that is read here, told by its bytes and opened: named tensors of PyTorch, or layers of
// Keras. Needs TF.js for TF.js models only; never for the web process all the same, for files are large.
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../errors.ts'
import { type FileFormat, findFormat, unknownFile } from '../../formats/detect-format.ts'
import { readHdf5 } from '../../formats/keras/hdf5.ts'
import { type KerasLayers, kerasLayers } from '../../formats/keras-layers.ts'
import { withSafetensors } from '../../formats/torch/safetensors.ts'
import { withTorchFile } from '../../formats/torch/torch-file.ts'
import { headOf } from '../../package/file-head.ts'
import { type TorchWeights, torchWeights } from './by-torch-name.ts'

export type WeightsFormat = 'keras-h5' | 'pytorch' | 'safetensors' | 'tfjs'

export type OpenWeights =
  | { readonly format: 'keras-h5' | 'tfjs'; readonly keras: KerasLayers }
  | { readonly format: 'pytorch' | 'safetensors'; readonly torch: TorchWeights }

const WEIGHTS_FORMATS: Readonly<Partial<Record<FileFormat['name'], WeightsFormat>>> = {
  hdf5: 'keras-h5',
  zip: 'pytorch',
  'torch-legacy': 'pytorch',
  safetensors: 'safetensors',
}
const KINDS = 'Keras weights (.h5), a PyTorch state dict (.pth or .safetensors), or a TF.js model'

/** @param path a file, or a folder with model.json. @throws AppError `invalid`, `invalid-package` in one sentence */
export async function weightsFormat(path: string): Promise<WeightsFormat> {
  const info = await stat(path).catch(missing)
  if (info.isDirectory() || basename(path) === 'model.json') return 'tfjs'
  const head = await headOf(path).catch(missing)
  const format = findFormat(head)
  const weights = format && WEIGHTS_FORMATS[format.name]
  if (weights) return weights
  const what = format ? `This is a file of the format ${format.title}` : unknownFile(head)
  throw new AppError('invalid-package', `${what}; weights are read from ${KINDS}.`)
}

/** Opens it for as long as `use` takes. @throws AppError `invalid`, `invalid-package` */
export async function withWeightsFile<T>(
  path: string,
  use: (file: OpenWeights) => Promise<T>,
): Promise<T> {
  const format = await weightsFormat(path)
  switch (format) {
    case 'safetensors':
      return withSafetensors(path, (source) => use({ format, torch: torchWeights(source) }))
    case 'pytorch':
      return withTorchFile(path, (source) => use({ format, torch: torchWeights(source) }))
    case 'keras-h5':
      return readHdf5(await readFile(path), (file) => use({ format, keras: kerasLayers(file) }))
    case 'tfjs': {
      const { tfjsLayers } = await import('../../formats/tfjs-layers.ts')
      const folder = basename(path) === 'model.json' ? dirname(path) : path
      return use({ format, keras: await tfjsLayers(folder) })
    }
  }
}

/** The file that stands for all of it when it is hashed. */
export function hashedFile(path: string, format: WeightsFormat): string {
  return format === 'tfjs' && basename(path) !== 'model.json' ? join(path, 'model.json') : path
}

function missing(cause: unknown): never {
  throw new AppError('invalid', 'The file of weights does not exist or is not readable.', { cause })
}
