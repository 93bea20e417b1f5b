// Features of a frozen part that an interrupted run left whole: what they were made with, so that going on need not make
// them again, and never takes those of something else.
import { createHash } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import type * as tf from '@tensorflow/tfjs'

export interface KeptFeatures {
  /** What they depend on. */
  readonly key: string
  readonly bytes: number
  readonly seconds: number
}

/** A key of settings and of the very numbers of the model. */
export function keyOf(model: tf.LayersModel, settings: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(settings))
  for (const layer of model.layers) {
    if (layer.trainable) continue
    for (const weight of layer.getWeights()) {
      const values = weight.dataSync()
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    }
  }
  return hash.digest('hex')
}

function notePath(path: string): string {
  return `${path}.json`
}

/** Once the file is whole and on the disk. */
export async function noteFeatures(path: string, note: KeptFeatures): Promise<void> {
  const part = `${notePath(path)}.part`
  const handle = await open(part, 'w')
  try {
    await handle.writeFile(JSON.stringify(note))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(part, notePath(path))
}

/** Those of the same key, whole; undefined otherwise. */
export async function findFeatures(
  path: string,
  { key, bytes }: Pick<KeptFeatures, 'key' | 'bytes'>,
): Promise<KeptFeatures | undefined> {
  try {
    const note = JSON.parse(await readFile(notePath(path), 'utf8')) as KeptFeatures
    const { size } = await stat(path)
    return note.key === key && note.bytes === bytes && size === bytes ? note : undefined
  } catch {
    return undefined
  }
}

export async function removeFeatures(path: string): Promise<void> {
  await rm(notePath(path), { force: true })
  await rm(path, { force: true })
}
