// Everything that a run needs to go on where it was, in the middle of an epoch too, in one file that is replaced atomically.
// Layout: 4 bytes length of the header (little endian), JSON header padded to 8 bytes, float32 values, 4 bytes CRC-32 of all that.
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { AppError } from '../../errors.ts'
import type { EpochRecord } from '../job.ts'
import type { Progress } from './schedule.ts'

export type Weights = ReadonlyMap<string, Float32Array>

/** What the batches of an epoch have given so far. Which images they were follows from seed and epoch. */
export interface EpochSoFar {
  /** Batches done. */
  readonly batches: number
  readonly lossSum: number
  /** Working time, without pauses; for the record only. */
  readonly seconds: number
  /** Of the images so far, [images, outputs], in the order of the shuffle. */
  readonly logits: Float32Array
}

export interface Checkpoint {
  /** What must be equal for a resumed run to end with the same bits. */
  readonly identity: Readonly<Record<string, string | number>>
  /** The last epoch that had ended; 0 before the first. */
  readonly epoch: number
  /** Of the epoch behind it, when it was under way. */
  readonly within: EpochSoFar | null
  readonly progress: Progress
  readonly history: readonly EpochRecord[]
  readonly weights: Weights
  readonly bestWeights: Weights
  readonly optimizer: {
    readonly step: number
    readonly slots: Readonly<Record<string, Float32Array>>
  }
}

interface Header extends Omit<Checkpoint, 'weights' | 'bestWeights' | 'optimizer' | 'within'> {
  readonly within: Omit<EpochSoFar, 'logits'> | null
  readonly step: number
  readonly arrays: readonly {
    readonly group: string
    readonly name: string
    readonly length: number
  }[]
}

/** Writes beside the target, flushes, renames: a kill leaves either the old checkpoint or the new one. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { identity, epoch, progress, history, within, weights, bestWeights, optimizer } = checkpoint
  const { logits, ...soFar } = within ?? {}
  const groups = [
    ['weights', [...weights]],
    ['best', [...bestWeights]],
    ['optimizer', Object.entries(optimizer.slots)],
    ['epoch', logits ? [['logits', logits] as const] : []],
  ] as const
  const arrays = groups.flatMap(([group, entries]) =>
    entries.map(([name, values]) => ({ group, name, values })),
  )
  const header: Header = {
    identity,
    epoch,
    within: within && (soFar as Header['within']),
    progress,
    history,
    step: optimizer.step,
    arrays: arrays.map(({ group, name, values }) => ({ group, name, length: values.length })),
  }
  const text = Buffer.from(JSON.stringify(header))
  const start = Buffer.alloc(Math.ceil((4 + text.length) / 8) * 8, ' ')
  start.writeUInt32LE(text.length, 0)
  text.copy(start, 4)
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(`${path}.part`, 'w')
  try {
    let check = 0
    const parts = arrays.map(({ values }) => values)
    for (const { buffer, byteOffset, byteLength } of [start, ...parts]) {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength)
      check = crc32(bytes, check)
      await handle.writeFile(bytes)
    }
    const end = Buffer.alloc(4)
    end.writeUInt32LE(check, 0)
    await handle.writeFile(end)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.part`, path)
  await syncFolder(dirname(path))
}

/** So that the new name outlives a power cut. Not every system can. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

/** @throws AppError `invalid` when it is absent or not whole */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  try {
    const bytes = await readFile(path)
    const end = bytes.length - 4
    if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) throw new Error('damaged')
    const length = bytes.readUInt32LE(0)
    const header = JSON.parse(bytes.toString('utf8', 4, 4 + length)) as Header
    const { arrays, step, within, progress, ...rest } = header
    const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    let offset = Math.ceil((4 + length) / 8) * 8
    const groups: Record<string, [string, Float32Array][]> = {}
    for (const { group, name, length: count } of arrays) {
      const members = groups[group] ?? []
      members.push([name, new Float32Array(data, offset, count)])
      groups[group] = members
      offset += count * 4
    }
    const logits = groups.epoch?.[0]?.[1]
    return {
      ...rest,
      // JSON has no infinity: no epoch has ended yet.
      progress: { ...progress, bestLoss: progress.bestLoss ?? Number.POSITIVE_INFINITY },
      within: within && logits ? { ...within, logits } : null,
      weights: new Map(groups.weights),
      bestWeights: new Map(groups.best),
      optimizer: { step, slots: Object.fromEntries(groups.optimizer ?? []) },
    }
  } catch (error) {
    throw new AppError('invalid', 'There is no complete checkpoint to resume from.', {
      cause: error,
    })
  }
}
