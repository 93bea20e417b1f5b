// What is in a Keras file, before anything is built from it: a .keras (a zip) or a whole-model .h5, told by its bytes.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { unzipSafely } from '../../../package/unzip-package.ts'
import { type Hdf5Contents, type Hdf5Tensor, readHdf5 } from '../hdf5.ts'
import { KERAS_CONFIG as CONFIG, KERAS_WEIGHTS as WEIGHTS } from '../keras-zip.ts'
import { refused } from './layer-config.ts'
import { type Stored, storedByName, storedByNumber } from './stored-weights.ts'
import { type ImageSize, type Topology, translateModel } from './topology.ts'

const MAX_CONFIG_BYTES = 64 * 1024 * 1024

export interface KerasContents extends Topology {
  readonly stored: readonly Stored[]
  readonly tensor: (path: string) => Hdf5Tensor
  /** Numbers in the file, so that a model cannot ask for more memory than its own size. */
  readonly values: number
}

export interface ReadOptions<T> {
  /** An empty folder for what is unpacked. */
  readonly workDir: string
  /** For images whose size the model leaves open. */
  readonly size?: ImageSize | undefined
  readonly use: (contents: KerasContents) => Promise<T>
}

/**
 * @param path the file
 * @throws AppError `invalid-package` in one sentence
 */
export async function readKerasFile<T>(
  path: string,
  { workDir, size, use }: ReadOptions<T>,
): Promise<T> {
  const bytes = await readFile(path)
  if (bytes.subarray(0, 2).toString('latin1') !== 'PK') return readWholeModel(bytes, { size, use })
  const folder = join(workDir, 'keras')
  const { paths } = await unzipSafely(path, { toDir: folder })
  return readUnpacked(folder, { paths, size, use })
}

/** A `.keras` file that is unpacked already. @throws AppError `invalid-package` */
export async function readUnpacked<T>(
  folder: string,
  o: Omit<ReadOptions<T>, 'workDir'> & { readonly paths: readonly string[] },
): Promise<T> {
  if (!o.paths.includes(CONFIG)) {
    throw refused('The zip holds no Keras model: there is no config.json at its top.')
  }
  if (!o.paths.includes(WEIGHTS)) {
    throw refused(
      o.paths.some((path) => path.startsWith('model.weights'))
        ? 'The weights of this Keras file are in several parts or as NumPy arrays; save the model again as one .keras file.'
        : 'The Keras file holds no weights (model.weights.h5 is missing); save the model again.',
    )
  }
  const { size } = await stat(join(folder, CONFIG))
  if (size > MAX_CONFIG_BYTES) throw refused('The config.json of this model is larger than 64 MiB.')
  const given = parsed(await readFile(join(folder, CONFIG), 'utf8'), CONFIG)
  const metadata = await readFile(join(folder, 'metadata.json'), 'utf8').catch(() => '{}')
  const version = (parsed(metadata, 'metadata.json') as { keras_version?: unknown } | null)
    ?.keras_version
  // Before 3 the same kind of file was written by Keras 2.12 to 2.15.
  const topology = translateModel(given, { major: majorOf(version ?? '3'), size: o.size })
  return readHdf5(await readFile(join(folder, WEIGHTS)), (file) =>
    o.use(contents(file, topology, storedByNumber(file, topology.root))),
  )
}

async function readWholeModel<T>(
  bytes: Uint8Array,
  { size, use }: Omit<ReadOptions<T>, 'workDir'>,
): Promise<T> {
  return readHdf5(bytes, (file) => {
    const config = file.text('', 'model_config')
    if (config === undefined) throw noModel(file)
    const version = file.text('', 'keras_version') ?? '2'
    const dialect = { major: majorOf(version), size }
    const topology = translateModel(parsed(config, 'model_config'), dialect)
    return use(contents(file, topology, storedByName(file, topology.root)))
  })
}

function noModel(file: Hdf5Contents): Error {
  const isWeights = file.texts('', 'layer_names') !== undefined || file.kindOf('layers') === 'group'
  return refused(
    isWeights
      ? 'The file holds weights without the model they belong to; save the whole model (model.save) as .keras or .h5.'
      : 'This HDF5 file holds no Keras model.',
  )
}

function contents(
  file: Hdf5Contents,
  topology: Topology,
  stored: readonly Stored[],
): KerasContents {
  return {
    ...topology,
    stored,
    tensor: (path) => file.tensor(path),
    values: valuesIn(file, stored),
  }
}

function valuesIn(file: Hdf5Contents, stored: readonly Stored[]): number {
  const weights = stored.flatMap((one) => ('all' in one ? one.all : one.weights))
  if (weights.length === 0) {
    throw refused('The file holds a model without its weights; save it with them.')
  }
  return weights.reduce((sum, { path }) => sum + file.shapeOf(path).reduce((a, b) => a * b, 1), 0)
}

function majorOf(version: unknown): number {
  return Number.parseInt(String(version), 10) || 2
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw Object.assign(refused(`The ${what} of this Keras model is not valid JSON.`), { cause })
  }
}
