// Writes HDF5 files into bytes: groups, attributes of strings, and datasets of numbers.
// For child processes and workers only: every call blocks its thread.
import type { File, Group } from 'h5wasm'
import { withVirtualFile } from './hdf5-library.ts'

/** Bytes that an attribute's header may take; Keras cuts longer lists into parts at the same length. */
const MAX_HEADER_BYTES = 64_512

export interface Hdf5Output {
  /** Makes a group, and those above it; one that is there stays as it is. */
  group(path: string): void
  /** One string of variable length. */
  text(path: string, name: string, value: string): void
  /** A list of fixed-length byte strings, in parts `name0`, `name1`, ... when it is long; an empty list is written too. */
  texts(path: string, name: string, values: readonly string[]): void
  /** float32 or int32 or int64, little-endian, contiguous, row-major. Groups above it are made. */
  tensor(path: string, tensor: OutputTensor): void
}

export interface OutputTensor {
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array | BigInt64Array
}

/** @returns the bytes of the file that `write` filled */
export async function writeHdf5(
  write: (file: Hdf5Output) => void | Promise<void>,
): Promise<Uint8Array> {
  return withVirtualFile(undefined, async ({ file, bytes }) => {
    await write(outputTo(file))
    return bytes()
  })
}

function outputTo(file: File): Hdf5Output {
  const groups = new Map<string, Group>([['', file]])
  const groupAt = (path: string): Group => {
    const known = groups.get(path)
    if (known) return known
    const cut = path.lastIndexOf('/')
    const made = groupAt(path.slice(0, Math.max(0, cut))).create_group(path.slice(cut + 1))
    groups.set(path, made)
    return made
  }
  return {
    group: (path) => void groupAt(path),
    text: (path, name, value) => groupAt(path).create_attribute(name, value, null, 'S'),
    texts: (path, name, values) => {
      const group = groupAt(path)
      // An empty list has no string to take a length from; h5py writes it as numbers.
      if (values.length === 0) return group.create_attribute(name, new Float64Array(0), [0])
      const length = Math.max(1, ...values.map((value) => Buffer.byteLength(value)))
      const perPart = Math.max(1, Math.floor(MAX_HEADER_BYTES / length))
      if (values.length <= perPart) {
        return group.create_attribute(name, [...values], [values.length], `A${length}`)
      }
      for (let part = 0; part * perPart < values.length; part++) {
        const some = values.slice(part * perPart, (part + 1) * perPart)
        group.create_attribute(`${name}${part}`, some, [some.length], `A${length}`)
      }
    },
    tensor: (path, { shape, values }) => {
      const cut = path.lastIndexOf('/')
      const group = groupAt(path.slice(0, Math.max(0, cut)))
      group.create_dataset({ name: path.slice(cut + 1), data: values, shape: [...shape] })
    },
  }
}
