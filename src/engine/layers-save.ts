// Writes a model in the format of TF.js layers models: model.json and one weights.bin.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'

/** Writes `folder`/model.json and weights.bin (float32), which TF.js loads as they are. The folder is made if needed. */
export async function saveLayersModel(model: tf.LayersModel, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const { modelTopology, weightSpecs, weightData } = artifacts
      const data = tf.io.CompositeArrayBuffer.join(weightData)
      const json = {
        format: 'layers-model',
        generatedBy: 'Roentgen',
        convertedBy: null,
        modelTopology,
        weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
      }
      await writeFile(join(folder, 'weights.bin'), new Uint8Array(data))
      await writeFile(join(folder, 'model.json'), JSON.stringify(json))
      return {
        modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const },
      }
    }),
  )
}
