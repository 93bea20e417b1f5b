// Keras weights by the names of layers: each layer of the network takes those of the layer that is called the same.
import type { KerasLayers, LayerWeights } from '../../formats/keras-layers.ts'
import { checkShape, type OwnWeight, type Place, refuseLeftOver } from './places.ts'

/** Layers of a head: a network without one has no place for them, and needs none. */
const HEADS = new Set(['predictions', 'fc1', 'fc2', 'logits', 'probs', 'fc1000'])

export interface Fitting {
  readonly own: readonly (readonly OwnWeight[])[]
  /** What it is called in a message. */
  readonly network: string
}

/** Whether every layer of the network is called so in the file. */
export function hasNamesOf({ layers }: KerasLayers, { own }: Fitting): boolean {
  const names = new Set(layers.map(({ name }) => name))
  return own.every(([first]) => names.has(first?.layer ?? ''))
}

/** @throws AppError `invalid-package` naming the layer that is missing, too many, or of another shape */
export function placesByName({ layers }: KerasLayers, fitting: Fitting): Place[] {
  const named = new Map(layers.map((layer) => [layer.name, layer]))
  const wanted = new Set(fitting.own.map(([first]) => first?.layer ?? ''))
  const leftOver = [...named.keys()].filter((name) => !wanted.has(name) && !HEADS.has(name))
  refuseLeftOver(leftOver, fitting.network)
  return fitting.own.flatMap((weights) => {
    const layer = named.get(weights[0]?.layer ?? '')
    return layer ? placesOfLayer(layer, { weights, network: fitting.network }) : []
  })
}

/** The weights of one layer, one by one in Keras' order; the layer is read once. */
export function placesOfLayer(
  layer: LayerWeights,
  o: { readonly weights: readonly OwnWeight[]; readonly network: string },
): Place[] {
  const { weights, network } = o
  let reading: ReturnType<LayerWeights['read']> | undefined
  return weights.map((weight, i) => ({
    weight,
    read: async () => {
      reading ??= layer.read()
      const found = await reading
      const one = found[i]
      if (found.length !== weights.length || !one) {
        const shape = (count: number): readonly number[] => [count]
        const wanted = shape(weights.length)
        checkShape(`${layer.name} (number of weights)`, {
          found: shape(found.length),
          wanted,
          network,
        })
      }
      checkShape(`${layer.name}/${weight.part}`, {
        found: one?.shape ?? [],
        wanted: weight.shape,
        network,
      })
      // The last one has been had: nothing is kept.
      if (i === weights.length - 1) reading = undefined
      return one?.values ?? new Float32Array()
    },
  }))
}
