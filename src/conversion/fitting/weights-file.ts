// A file of weights of any kind that is read here, told by its bytes and opened: named tensors of PyTorch, or layers of
// Keras. Needs TF.js for TF.js models only; never for the web process all the same, for files are large.
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../errors.ts'
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

/** How a bare pickle begins; its protocol follows. */
const PICKLE = '\x80'
const KINDS = 'Keras weights (.h5), a PyTorch state dict (.pth or .safetensors), or a TF.js model'

/** @param path a file, or a folder with model.json. @throws AppError `invalid`, `invalid-package` in one sentence */
export async function weightsFormat(path: string): Promise<WeightsFormat> {
  const info = await stat(path).catch(missing)
  if (info.isDirectory() || basename(path) === 'model.json') return 'tfjs'
  const head = (await headOf(path).catch(missing)).toString('latin1')
  if (head.startsWith('\x89HDF')) return 'keras-h5'
  if (head.startsWith('PK\x03\x04')) return 'pytorch'
  if (head.slice(8, 9) === '{' && head.slice(4, 8) === '\0\0\0\0') return 'safetensors'
  if (head.startsWith('version https://git-lfs')) {
    throw invalid(
      'This is a Git LFS pointer and not the weights themselves, which "git lfs pull" fetches.',
    )
  }
  if (head.startsWith(PICKLE) && head.charCodeAt(1) <= 5) {
    throw invalid(
      'This PyTorch file has the format from before version 1.6, which is not read here; load it in Python and save it again with torch.save(…) or as safetensors.',
    )
  }
  throw invalid(`This is no file of weights that is known here; there are: ${KINDS}.`)
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

function invalid(message: string): AppError {
  return new AppError('invalid-package', message)
}
