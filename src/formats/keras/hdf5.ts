// Reads HDF5 files from bytes: groups, attributes and numbers, within limits. Writing is in hdf5-write.ts.
// For child processes and workers only: every call blocks its thread.
import type { Dataset, Group } from 'h5wasm'
import { AppError } from '../../errors.ts'
import { type Library, type VirtualFile, withVirtualFile } from './hdf5-library.ts'
import { asFloats } from './hdf5-numbers.ts'
import { utf8Of } from './hdf5-text.ts'

const MAX_FILE_BYTES = 1024 * 1024 * 1024
const MAX_TENSOR_BYTES = 1024 * 1024 * 1024
/** Of all that is read from one file: compressed, a few bytes unfold into any number of zeros. */
const MAX_READ_BYTES = 1536 * 1024 * 1024
const MAX_TEXT_BYTES = 64 * 1024 * 1024
const MAX_RANK = 8
const MAX_PARTS = 1000

export interface Hdf5Tensor {
  readonly shape: readonly number[]
  /** Row-major; float16, float64 and integers come as float32. */
  readonly values: Float32Array
}

export interface Hdf5Child {
  readonly name: string
  /** `other`: links that lead out of the file or nowhere, and named types. */
  readonly kind: 'group' | 'dataset' | 'other'
}

/** Paths are like `model_weights/conv1/conv1/kernel:0`; the root is ''. */
export interface Hdf5Contents {
  /** What a group holds, by name; empty when it is no group. */
  children(path: string): readonly Hdf5Child[]
  kindOf(path: string): Hdf5Child['kind'] | undefined
  attributeNames(path: string): readonly string[]
  /** One string, or the first of a list; fixed or variable length. Undefined when there is no such attribute. */
  text(path: string, name: string): string | undefined
  /** A list of strings; Keras cuts long ones into `name0`, `name1`, ... Undefined when there are none of them. */
  texts(path: string, name: string): readonly string[] | undefined
  /** Of a dataset, without reading it. @throws AppError `invalid-package` when it is missing or too large */
  shapeOf(path: string): readonly number[]
  /** @throws AppError `invalid-package` when it is missing, holds no numbers, or is larger than what is read here */
  tensor(path: string): Hdf5Tensor
}

/**
 * Opens a file for as long as `read` takes. @throws AppError `invalid-package` when it is none, is damaged or too large;
 * what the library throws while `read` uses the file comes out as damage too
 */
export async function readHdf5<T>(
  bytes: Uint8Array,
  read: (file: Hdf5Contents) => T | Promise<T>,
): Promise<T> {
  if (bytes.length > MAX_FILE_BYTES) {
    throw new AppError('invalid-package', 'The HDF5 file is larger than 1 GiB.')
  }
  try {
    return await withVirtualFile(bytes, (opened) => read(contentsOf(opened)))
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError(
      'invalid-package',
      'The HDF5 file is cut off or damaged; copy it again or save the model again.',
      { cause },
    )
  }
}

function contentsOf({ file, library }: VirtualFile): Hdf5Contents {
  let bytesLeft = MAX_READ_BYTES
  const find = (path: string): unknown => step(file, path.split('/').filter(Boolean))
  const attributesOf = (path: string): Group['attrs'] => {
    const entity = find(path)
    return entity instanceof library.Group || entity instanceof library.Dataset ? entity.attrs : {}
  }
  const strings = (path: string, name: string): readonly string[] | undefined => {
    const attribute = attributesOf(path)[name]
    if (!attribute) return undefined
    const { size, total_size, cset } = attribute.metadata
    if (size * total_size > MAX_TEXT_BYTES) throw new Error(`attribute ${name} is too long`)
    const { value } = attribute
    if (value === null) return []
    const isList = Array.isArray(value) || ArrayBuffer.isView(value)
    const list = (isList ? [...(value as Iterable<unknown>)] : [value]).map(String)
    return cset === 0 ? list.map(utf8Of) : list
  }
  return {
    children: (path) => {
      const group = find(path)
      if (!(group instanceof library.Group)) return []
      return group.keys().map((name) => ({ name, kind: kindOf(step(group, [name]), library) }))
    },
    kindOf: (path) => {
      const entity = find(path)
      return entity === null ? undefined : kindOf(entity, library)
    },
    attributeNames: (path) => Object.keys(attributesOf(path)),
    text: (path, name) => strings(path, name)?.[0],
    texts: (path, name) => {
      const whole = strings(path, name)
      if (whole) return whole
      const names = new Set(Object.keys(attributesOf(path)))
      const parts: string[] = []
      for (let part = 0; part < MAX_PARTS && names.has(`${name}${part}`); part++) {
        parts.push(...(strings(path, `${name}${part}`) ?? []))
      }
      return names.has(`${name}0`) ? parts : undefined
    },
    shapeOf: (path) => {
      const dataset = datasetAt(path)
      sizeOf(dataset, calledAt(path))
      return (dataset.metadata.shape ?? []).map(Number)
    },
    tensor: (path) => {
      const called = calledAt(path)
      const dataset = datasetAt(path)
      bytesLeft -= sizeOf(dataset, called)
      if (bytesLeft < 0) {
        throw new AppError('invalid-package', 'The weights of this model are larger than 1.5 GiB.')
      }
      return numbersOf(dataset, { called, library })
    },
  }

  function datasetAt(path: string): Dataset {
    const dataset = find(path)
    if (dataset instanceof library.Dataset) return dataset
    throw new AppError('invalid-package', `The HDF5 file holds no weights "${calledAt(path)}".`)
  }

  /** One link at a time: the library takes a missing group on the way for an error. */
  function step(from: Group, [name, ...rest]: readonly string[]): unknown {
    if (name === undefined) return from
    const next = from.keys().includes(name) ? from.get(name) : null
    if (rest.length === 0 || next === null) return next
    return next instanceof library.Group ? step(next, rest) : null
  }
}

/** For a person: the last two parts of its path. */
function calledAt(path: string): string {
  return path.split('/').slice(-2).join('/').slice(0, 100)
}

function kindOf(entity: unknown, library: Library): Hdf5Child['kind'] {
  if (entity instanceof library.Dataset) return 'dataset'
  return entity instanceof library.Group ? 'group' : 'other'
}

/** Bytes of a dataset when it is read. @throws AppError `invalid-package` */
function sizeOf(dataset: Dataset, called: string): number {
  const { shape, size, total_size, virtual_sources } = dataset.metadata
  if (virtual_sources?.length) {
    throw new AppError('invalid-package', `The weights "${called}" are in another file.`)
  }
  const bytes = size * total_size
  if (shape && shape.length <= MAX_RANK && bytes <= MAX_TENSOR_BYTES) return bytes
  throw new AppError(
    'invalid-package',
    `The weights "${called}" have a size that is not supported.`,
  )
}

function numbersOf(
  dataset: Dataset,
  { called, library }: { called: string; library: Library },
): Hdf5Tensor {
  const { shape, size, total_size, type, signed, littleEndian } = dataset.metadata
  const { Module } = library
  const isFloat = type === Module.H5T_class_t.H5T_FLOAT.value
  const length = size * total_size
  const pointer = Module._malloc(Math.max(1, length))
  if (pointer === 0) throw new AppError('invalid-package', `The weights "${called}" are too large.`)
  try {
    const isNumber = isFloat || type === Module.H5T_class_t.H5T_INTEGER.value
    if (isNumber) {
      Module.get_dataset_data(dataset.file_id, dataset.path, null, null, null, BigInt(pointer))
    }
    const bytes = Module.HEAPU8.slice(pointer, pointer + length)
    const values = isNumber ? asFloats(bytes, { isFloat, size, signed, littleEndian }) : undefined
    if (values) return { shape: (shape ?? []).map(Number), values }
  } finally {
    Module._free(pointer)
  }
  throw new AppError('invalid-package', `The weights "${called}" are not numbers.`)
}
