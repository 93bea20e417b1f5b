// The images that a model takes.
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../errors.ts'

/** Height, width and channels of the images. @throws AppError `invalid-package` when the model is no image classifier */
export function imageShapeOf(model: tf.LayersModel): number[] {
  const [input, second] = model.inputs
  const [output, otherOutput] = model.outputs
  const [, ...shape] = input?.shape ?? []
  if (!input || second || !output || otherOutput) {
    throw new AppError('invalid-package', 'The model must have one input and one output.')
  }
  if (shape.length !== 3 || output.shape.length !== 2 || shape.some((dim) => dim === null)) {
    throw new AppError(
      'invalid-package',
      'The model must take images of one fixed size and give one number for each class.',
    )
  }
  return shape.map(Number)
}
