// Everything that a run needs to go on after its last epoch, in one file that is replaced atomically.
// Layout: 4 bytes length of the header (little endian), JSON header padded to 8 bytes, then float32 values.
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError } from '../../errors.ts'
import type { EpochRecord } from '../job.ts'
import type { Progress } from './schedule.ts'

export type Weights = ReadonlyMap<string, Float32Array>

export interface Checkpoint {
  /** What must be equal for a resumed run to end with the same bits. */
  readonly identity: Readonly<Record<string, string | number>>
  readonly epoch: number
  readonly progress: Progress
  readonly history: readonly EpochRecord[]
  readonly weights: Weights
  readonly bestWeights: Weights
  readonly optimizer: {
    readonly step: number
    readonly slots: Readonly<Record<string, Float32Array>>
  }
}

interface Header extends Omit<Checkpoint, 'weights' | 'bestWeights' | 'optimizer'> {
  readonly step: number
  readonly arrays: readonly {
    readonly group: string
    readonly name: string
    readonly length: number
  }[]
}

/** Writes beside the target, flushes, renames: a kill leaves either the old checkpoint or the new one. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { weights, bestWeights, optimizer, ...rest } = checkpoint
  const groups = [
    ['weights', [...weights]],
    ['best', [...bestWeights]],
    ['optimizer', Object.entries(optimizer.slots)],
  ] as const
  const arrays = groups.flatMap(([group, entries]) =>
    entries.map(([name, values]) => ({ group, name, values })),
  )
  const header: Header = {
    ...rest,
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
    await handle.write(start)
    for (const { values } of arrays) {
      await handle.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.part`, path)
}

/** @throws AppError `invalid` when it is absent or not whole */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  try {
    const bytes = await readFile(path)
    const length = bytes.readUInt32LE(0)
    const header = JSON.parse(bytes.toString('utf8', 4, 4 + length)) as Header
    const { arrays, step, ...rest } = header
    const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    let offset = Math.ceil((4 + length) / 8) * 8
    const groups: Record<string, [string, Float32Array][]> = {}
    for (const { group, name, length: count } of arrays) {
      const members = groups[group] ?? []
      members.push([name, new Float32Array(data, offset, count)])
      groups[group] = members
      offset += count * 4
    }
    return {
      ...rest,
      weights: new Map(groups.weights),
      bestWeights: new Map(groups.best),
      optimizer: { step, slots: Object.fromEntries(groups.optimizer ?? []) },
    }
  } catch (error) {
    throw new AppError('invalid', 'There is no whole checkpoint to go on from.', { cause: error })
  }
}
