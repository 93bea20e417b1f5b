// Which numbers of a model training changes: trained weights and the moving averages of its batch normalisations,
// under names that do not depend on what else the process has built.
import * as tf from '@tensorflow/tfjs'
import { isModel, type Layer } from '../layer-calls.ts'

export interface NamedWeight {
  readonly name: string
  readonly shape: readonly number[]
  readonly size: number
  readonly variable: tf.Variable
}

type LayerVariable = tf.LayersModel['weights'][number]

/** TF.js hides the variable of a layer's weight; training has to stand graph inputs in for it. */
function variableOf(weight: LayerVariable): tf.Variable {
  return (weight as unknown as { val: tf.Variable }).val
}

/** All weights: their names are those that TF.js saves, with #2, #3 … where nested models repeat a name. */
export function namedWeights(model: tf.LayersModel): ReadonlyMap<string, NamedWeight> {
  const weights = new Map<string, NamedWeight>()
  for (const weight of model.weights) {
    const variable = variableOf(weight)
    let name = weight.originalName
    for (let i = 2; weights.has(name); i++) name = `${weight.originalName}#${i}`
    const { shape, size } = variable
    weights.set(name, { name, shape, size, variable })
  }
  return weights
}

export interface ChangingWeights {
  /** Changed by the optimizer. */
  readonly trained: readonly NamedWeight[]
  /** Moving means and variances of the batch normalisations that are trained. */
  readonly moving: readonly NamedWeight[]
}

export function changingWeights(model: tf.LayersModel): ChangingWeights {
  const all = [...namedWeights(model).values()]
  const pick = (weights: readonly LayerVariable[]) => {
    const variables = new Set(weights.map(variableOf))
    return all.filter(({ variable }) => variables.has(variable))
  }
  const norms = [...activeLayers(model)].filter(isBatchNorm)
  return {
    trained: pick(model.trainableWeights),
    moving: pick(norms.flatMap((layer) => layer.nonTrainableWeights.slice(-2))),
  }
}

export function isBatchNorm(layer: Layer): boolean {
  return layer.getClassName() === 'BatchNormalization'
}

/** Leaf layers that are trainable, as all models around them are. Frozen ones behave as at inference. */
export function activeLayers(model: tf.LayersModel): ReadonlySet<Layer> {
  const active = new Set<Layer>()
  if (!model.trainable) return active
  for (const layer of model.layers) {
    if (isModel(layer)) for (const inner of activeLayers(layer)) active.add(inner)
    else if (layer.trainable) active.add(layer)
  }
  return active
}

/** Gives a weight new numbers. */
export function writeWeight(weight: NamedWeight, data: Float32Array): void {
  const tensor = tf.tensor(data.slice(), [...weight.shape])
  weight.variable.assign(tensor)
  tensor.dispose()
}
