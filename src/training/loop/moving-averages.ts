// Batch normalisation answers by moving averages. A network that begins at random and is trained for a hundred steps would
// answer by what its averages began with: with Keras' momentum of 0.99 a third of that is left then, with MobileNet's 0.999
// nine tenths.
import type * as tf from '@tensorflow/tfjs'

/** Averages remember at most a tenth of the run. */
const SHARE = 0.1

export interface ShortenedMemory {
  readonly momentum: number
  /** How many layers had a longer memory. */
  readonly layers: number
  /** Of the whole run. */
  readonly steps: number
}

/**
 * Shortens the memory of trained batch normalisation where the run has few steps; long runs keep the layer's own.
 * @returns null where no layer was changed
 */
export function shortenMemory(model: tf.LayersModel, steps: number): ShortenedMemory | null {
  const most = Math.max(0.5, 1 - 1 / Math.max(1, SHARE * steps))
  let layers = 0
  for (const layer of model.layers) {
    if (layer.getClassName() !== 'BatchNormalization' || !layer.trainable) continue
    // The layer keeps it as a field that its configuration is read from.
    const norm = layer as unknown as { momentum: number }
    if (norm.momentum <= most) continue
    norm.momentum = most
    layers++
  }
  return layers === 0 ? null : { momentum: most, layers, steps }
}
