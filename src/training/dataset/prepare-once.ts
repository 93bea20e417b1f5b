// Prepared pixels that several runs use: made by the first that needs them, found by the others. What decides about them
// (classes, preprocessing, seed of the split, images per class, files left out) is in the name of their folder.
import { createHash } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type PrepareOptions, prepareDataset } from './prepare.ts'
import { openPrepared, type PreparedIndex } from './prepared.ts'

/** The folder below `place` for such a preparation. */
export function preparedFolder(
  place: string,
  o: Pick<
    PrepareOptions,
    'classes' | 'preprocessing' | 'seed' | 'maxPerClass' | 'exclude' | 'uncertain' | 'positive'
  >,
): string {
  const { classes = null, preprocessing, seed, maxPerClass = null, exclude = [] } = o
  // With a condition's classes nothing has to be told; the usual choice keeps the name that it had.
  const labels = [
    ...(o.uncertain === undefined || o.uncertain === 'leave-out' ? [] : [o.uncertain]),
    ...(classes === null && o.positive !== undefined ? [`positive ${o.positive}`] : []),
  ]
  const words = JSON.stringify([
    ...[classes, preprocessing, seed, maxPerClass, exclude],
    ...(labels.length > 0 ? [labels] : []),
  ])
  return join(place, createHash('sha256').update(words).digest('hex').slice(0, 16))
}

/**
 * Prepares into `outDir` unless a whole preparation is there. Written beside it first, so that a kill leaves none or all.
 * @throws AppError as `prepareDataset`
 */
export async function prepareOnce(options: PrepareOptions): Promise<PreparedIndex> {
  const found = await findPrepared(options.outDir)
  if (found) return found
  const making = `${options.outDir}.${process.pid}.part`
  await rm(making, { recursive: true, force: true })
  try {
    const index = await prepareDataset({ ...options, outDir: making })
    await rm(options.outDir, { recursive: true, force: true })
    await rename(making, options.outDir)
    return index
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

/** Undefined when there is none, or a damaged one. */
async function findPrepared(dir: string): Promise<PreparedIndex | undefined> {
  try {
    const prepared = await openPrepared(dir)
    prepared.close()
    return prepared.index
  } catch {
    return undefined
  }
}
