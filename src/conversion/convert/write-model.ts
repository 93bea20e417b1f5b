// A layers model in the format that was asked for. For commands and child processes only.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { saveLayersModel } from '../../engine/layers-save.ts'
import { predictionGraph } from '../../engine/prediction-graph.ts'
import { writeKeras } from '../../formats/keras/write/write-keras.ts'

export const MODEL_FORMATS = ['keras', 'h5', 'weights.h5', 'tfjs', 'onnx'] as const
export type ModelFormat = (typeof MODEL_FORMATS)[number]

/**
 * Writes under another name first, so that nothing half is left. `tfjs` is a folder, the others are files.
 * @throws AppError `invalid` when the format has no word for a layer, `invalid-package` when the model is no classifier
 */
export async function writeModel(
  model: tf.LayersModel,
  { to, out }: { to: ModelFormat; out: string },
): Promise<void> {
  const partial = join(dirname(out), `.${basename(out)}.${process.pid}.part`)
  await mkdir(dirname(out), { recursive: true })
  try {
    if (to === 'tfjs') await saveLayersModel(model, partial)
    else if (to === 'onnx') {
      await writeFile(partial, predictionGraph(model, { lastActivation: 'auto' }).onnx)
    } else await writeKeras(model, { path: partial, format: to })
    if (to === 'tfjs') await rm(out, { recursive: true, force: true })
    await rename(partial, out)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
