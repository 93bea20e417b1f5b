// The weights manifest of a TF.js model: which shards there are, checked names and sizes, and their bytes in order.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { io } from '@tensorflow/tfjs'
import { AppError } from '../errors.ts'

export interface WeightGroup {
  readonly paths?: readonly unknown[]
  readonly weights?: readonly unknown[]
}

export interface Weights {
  readonly specs: io.WeightsManifestEntry[]
  readonly data: ArrayBuffer
}

/** A link is not followed: it could lead out of the folder. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)
const MAX_WEIGHT_BYTES = 1024 * 1024 * 1024
const MAX_RANK = 8
const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  uint16: 2,
  float16: 2,
  uint8: 1,
  bool: 1,
}

/**
 * Reads the shards of every group from `folder`. Each group must hold at least the bytes that its weights need.
 * @throws AppError `invalid-package`: names that leave the folder, addresses, missing or short shards, absurd sizes
 */
export async function readWeights(
  folder: string,
  manifest: readonly WeightGroup[] | undefined,
): Promise<Weights> {
  if (!Array.isArray(manifest) || manifest.length === 0) {
    throw new AppError(
      'invalid-package',
      'model.json names no weights (weightsManifest is missing).',
    )
  }
  const specs: io.WeightsManifestEntry[] = []
  const parts: Buffer[] = []
  let total = 0
  for (const group of manifest as readonly WeightGroup[]) {
    const names = (group.paths ?? []).map(safeName)
    const entries = (group.weights ?? []).map(checkedSpec)
    const needed = entries.reduce((sum, entry) => sum + bytesOf(entry), 0)
    total += needed
    if (!(total <= MAX_WEIGHT_BYTES)) {
      throw new AppError('invalid-package', 'The weights of this model are larger than 1 GiB.')
    }
    parts.push(await readGroup(folder, names, needed))
    specs.push(...entries)
  }
  const data = new Uint8Array(total)
  let offset = 0
  for (const part of parts) {
    data.set(part, offset)
    offset += part.length
  }
  return { specs, data: data.buffer }
}

/** A file name inside the model folder, possibly in a folder below it. */
function safeName(path: unknown): string {
  // Some writers begin each path with the folder itself.
  const name = String(path).replace(/^(\.\/)+/, '')
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(name)) {
    throw new AppError(
      'invalid-package',
      'model.json asks for weights from another machine; put the weight files beside it instead.',
    )
  }
  const isSafe = /^[\w][\w .()@+-]*(\/[\w][\w .()@+-]*)*$/.test(name) && name.length <= 255
  if (isSafe) return name
  throw new AppError(
    'invalid-package',
    'model.json asks for weights outside its own folder, which is refused.',
  )
}

function checkedSpec(entry: unknown): io.WeightsManifestEntry {
  const spec = entry as Partial<io.WeightsManifestEntry> | null
  const shape: unknown = spec?.shape
  const isShape =
    Array.isArray(shape) &&
    shape.length <= MAX_RANK &&
    shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)
  if (!spec || typeof spec.name !== 'string' || !isShape) {
    throw new AppError(
      'invalid-package',
      'model.json describes a weight without a name or a shape.',
    )
  }
  if (BYTES[storedType(spec)] === undefined) {
    throw new AppError(
      'invalid-package',
      `The weight "${spec.name.slice(0, 100)}" is stored as ${String(storedType(spec)).slice(0, 20)}, which is not supported.`,
    )
  }
  return spec as io.WeightsManifestEntry
}

function storedType(spec: Partial<io.WeightsManifestEntry>): string {
  return spec.quantization?.dtype ?? spec.dtype ?? ''
}

function bytesOf(spec: io.WeightsManifestEntry): number {
  return spec.shape.reduce((size, dim) => size * dim, BYTES[storedType(spec)] ?? 0)
}

/** The first `needed` bytes of the shards one after the other; what follows them is not read. */
async function readGroup(
  folder: string,
  names: readonly string[],
  needed: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(needed)
  let filled = 0
  for (const name of names) {
    const file = await open(join(folder, name), READ).catch((cause: unknown) => {
      throw new AppError('invalid-package', `The weight file ${name} is missing.`, { cause })
    })
    try {
      const { bytesRead } = await file.read(bytes, filled, needed - filled, 0)
      filled += bytesRead
    } catch (cause) {
      throw new AppError('invalid-package', `The weight file ${name} cannot be read.`, { cause })
    } finally {
      await file.close()
    }
  }
  if (filled === needed) return bytes
  throw new AppError(
    'invalid-package',
    `The weight files are too short: ${filled} of ${needed} bytes are there.`,
  )
}
