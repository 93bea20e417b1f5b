// The weights of a TF.js layers model as a list of layers, whatever they are quantised to.
import { loadLayersModel } from '../engine/layers-model.ts'
import type { KerasLayers } from './keras-layers.ts'

/** @throws AppError `invalid-package` */
export async function tfjsLayers(folder: string): Promise<KerasLayers> {
  const model = await loadLayersModel(folder)
  const layers = model.layers
    .filter((layer) => layer.weights.length > 0)
    .map((layer) => ({
      name: layer.name,
      read: async () =>
        layer.weights.map((weight) => ({
          shape: weight.shape.map(Number),
          values: Float32Array.from(weight.read().dataSync()),
        })),
    }))
  return { layers, isOrdered: true }
}
