// Puts kept pretrained weights into a network that is to be trained.
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import type { TensorSource } from '../../formats/tensor-source.ts'
import { withSafetensors } from '../../formats/torch/safetensors.ts'
import { fill } from '../fitting/fit.ts'
import { checkShape, ownLayers, type Place } from '../fitting/places.ts'
import { checkSums } from './check-sums.ts'
import { numbersPath, type StoredWeights } from './weights-store.ts'

/**
 * Every weight but those of the last layer. @throws AppError `invalid-package` when the kept file was damaged or does not fit
 */
export async function adoptPretrained(
  model: tf.LayersModel,
  { weights, dataDir }: { readonly weights: StoredWeights; readonly dataDir: string },
): Promise<void> {
  const path = numbersPath(dataDir, weights)
  const sums = await checkSums(path).catch(() => undefined)
  if (sums?.sha256 !== weights.sha256) {
    throw new AppError(
      'invalid-package',
      `The kept weights "${weights.name}" are damaged; fetch or import them again with --replace.`,
    )
  }
  const head = model.layers.at(-1)?.name
  await withSafetensors(path, async (source) => {
    const own = ownLayers(model).filter(([first]) => first?.layer !== head)
    await fill(
      model,
      own.flat().map((weight) => placeOf(source, weight, weights.name)),
    )
  })
}

function placeOf(source: TensorSource, weight: Place['weight'], network: string): Place {
  checkShape(weight.name, {
    found: weight.shape,
    wanted: source.tensors.get(weight.name)?.shape ?? [],
    network,
  })
  return { weight, read: () => source.read(weight.name) }
}
