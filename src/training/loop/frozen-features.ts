// The frozen part of a network is run once on each image and on each augmented copy of it; its features lie on disk beside
// the checkpoint while the run lasts, and epochs train the rest on them, taking the copies in turn.
import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { createFeatureSession, type FeatureSession } from '../../engine/feature-session.ts'
import { type FrozenPrefix, findFrozenPrefix } from '../../engine/frozen-prefix.ts'
import { AppError } from '../../errors.ts'
import { chooseStorage, PixelReader, PixelWriter } from '../dataset/pixel-store.ts'
import type { PreparedImage } from '../dataset/prepared.ts'
import { identityOf } from './checkpoint-identity.ts'
import { whilePaused } from './control.ts'
import { type FrozenRecord, type ImageSource, pixelSource } from './image-source.ts'
import { findFeatures, keyOf, noteFeatures, removeFeatures } from './kept-features.ts'
import type { LoopOptions } from './loop-options.ts'

const BATCH = 16
/** So much of the free disk may be taken. */
const DISK_SHARE = 0.8
const MIB = 1024 * 1024

/** One row of the feature file: an image as an epoch would see it, or as it is. */
interface Row {
  readonly image: PreparedImage
  /** Of the augmented copy, from 1; undefined: as it is. */
  readonly copy?: number
}

/** Features where the model has a frozen beginning and copies of it are wanted; pixels otherwise. */
export async function openSource(model: tf.LayersModel, o: LoopOptions): Promise<ImageSource> {
  const { prepared, hyperparameters: h } = o
  const pixels = pixelSource(prepared, h)
  const prefix = h.frozenCopies === 0 ? undefined : findFrozenPrefix(model)
  if (!prefix) return pixels
  const copies = h.augmentation ? h.frozenCopies : 1
  const training = prepared.imagesOf('train')
  const rows: Row[] = [
    ...training.flatMap((image) =>
      Array.from({ length: copies }, (_, i) => ({ image, copy: i + 1 })),
    ),
    ...prepared.imagesOf('validation').map((image) => ({ image })),
  ]
  const storage = { ...chooseStorage([1, 1, prefix.size], rows.length), file: 'features.bin' }
  const bytes = rows.length * prefix.size * (storage.type === 'float32' ? 4 : 2)
  const folder = dirname(o.checkpointPath)
  const path = join(folder, storage.file)
  const key = keyOf(model, [identityOf({ ...o, model }), prefix.layers, copies, storage])
  const kept = o.resumeFrom && (await findFeatures(path, { key, bytes }))
  const { bavail, bsize } = await statfs(folder)
  if (!kept && bytes > bavail * bsize * DISK_SHARE) {
    const text = `The frozen part is run anew in every epoch: its features need ${Math.round(bytes / MIB)} MiB of disk, which is not available.`
    o.report({ type: 'log', text })
    return pixels
  }
  /** @returns the seconds that it took */
  const make = async (): Promise<number> => {
    const started = performance.now()
    await removeFeatures(path)
    const writer = await PixelWriter.open(path, storage)
    const session = await createFeatureSession({ ...o, model, prefix, batchSize: BATCH })
    try {
      await writeRows(rows, { ...o, pixels, prefix, session, writer })
    } finally {
      await session.close()
      await writer.close()
    }
    const seconds = (performance.now() - started) / 1000
    await noteFeatures(path, { key, bytes, seconds })
    return seconds
  }
  const seconds = kept?.seconds ?? (await make())
  const { type } = storage
  const { size: features, layers } = prefix
  const record: FrozenRecord = { copies, features, type, layers, bytes, seconds }
  const text = kept
    ? `features of the frozen part are still there: ${rows.length} rows`
    : describe(record, rows.length)
  o.report({ type: 'log', text })
  const reader = new PixelReader(path, storage, rows.length)
  const first = new Map(training.map(({ row }, i) => [row, i * copies]))
  const plain = new Map(rows.map(({ image, copy }, i) => [image.row, copy ? -1 : i]))
  return {
    rowLength: prefix.size,
    prefix,
    record,
    readChanged: ({ row }, { epoch, target }) =>
      reader.read(placeIn(first, row) + ((epoch - 1) % copies), target),
    read: ({ row }, target) => reader.read(placeIn(plain, row), target),
    close: async () => {
      reader.close()
      await removeFeatures(path)
    },
  }
}

interface Writing extends LoopOptions {
  readonly pixels: ImageSource
  readonly prefix: FrozenPrefix
  readonly session: FeatureSession
  readonly writer: PixelWriter
}

async function writeRows(rows: readonly Row[], o: Writing): Promise<void> {
  const { pixels, prefix, session, writer, control } = o
  const x = new Float32Array(BATCH * pixels.rowLength)
  for (let from = 0; from < rows.length; from += BATCH) {
    await whilePaused(control, o.report)
    if (control.wish !== 'go on') {
      throw new AppError('conflict', 'The training was ended before it had a result.')
    }
    const part = rows.slice(from, from + BATCH)
    for (const [place, { image, copy }] of part.entries()) {
      const target = x.subarray(place * pixels.rowLength, (place + 1) * pixels.rowLength)
      if (copy === undefined) pixels.read(image, target)
      else pixels.readChanged(image, { epoch: copy, target })
    }
    const features = await session.run(x)
    for (const place of part.keys()) {
      await writer.append(features.subarray(place * prefix.size, (place + 1) * prefix.size))
    }
    const done = Math.min(from + BATCH, rows.length)
    o.report({ type: 'progress', phase: 'training', done, total: rows.length })
  }
}

function placeIn(places: ReadonlyMap<number, number>, row: number): number {
  const place = places.get(row) ?? -1
  if (place < 0) throw new Error('features of an image that was not run')
  return place
}

function describe({ copies, features, type, bytes, seconds }: FrozenRecord, rows: number): string {
  const each = copies === 1 ? 'once' : `on ${copies} augmented copies`
  return (
    `the frozen part was run ${each}: ${rows} rows of ${features} features (${type}, ` +
    `${Math.round(bytes / MIB)} MiB) in ${seconds.toFixed(1)} s`
  )
}
