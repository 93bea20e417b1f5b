// Where each weight of a network of ours comes from: the network's own weights as a plain list, and the change of layout
// that a foreign one needs.
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import { shownName, shownShape } from '../../formats/tensor-source.ts'

/** One weight of a network: `layer`/`part`. */
export interface OwnWeight {
  readonly name: string
  readonly layer: string
  /** kernel, bias, gamma, … */
  readonly part: string
  readonly shape: readonly number[]
}

/** A weight and how its numbers are had. */
export interface Place {
  readonly weight: OwnWeight
  read(): Promise<Float32Array>
}

/** Layers with weights in the order of the network, each with its weights in Keras' order. */
export function ownLayers(model: tf.LayersModel): OwnWeight[][] {
  return model.layers
    .filter((layer) => layer.weights.length > 0)
    .map((layer) =>
      layer.weights.map((weight) => {
        const name = weight.originalName
        const part = name.split('/').at(-1) ?? name
        return { name, layer: layer.name, part, shape: weight.shape.map(Number) }
      }),
    )
}

/** Axes of the network's weight, as axes of the foreign one. Undefined: both have the same layout. */
export type AxisOrder = readonly number[] | undefined

/** The shape that the foreign weight must have. */
export function foreignShape(shape: readonly number[], axes: AxisOrder): readonly number[] {
  if (!axes) return shape
  const foreign = new Array<number>(shape.length).fill(0)
  for (const [own, theirs] of axes.entries()) foreign[theirs] = shape[own] ?? 0
  return foreign
}

/** From the foreign layout to that of the network; `shape` is the network's. */
export function reordered(
  values: Float32Array,
  { shape, axes }: { readonly shape: readonly number[]; readonly axes: AxisOrder },
): Float32Array {
  if (!axes) return values
  const foreign = foreignShape(shape, axes)
  const strides = foreign.map((_, axis) => foreign.slice(axis + 1).reduce((n, dim) => n * dim, 1))
  const steps = axes.map((theirs) => strides[theirs] ?? 0)
  const result = new Float32Array(values.length)
  const inner = shape.length - 1
  const [width, step] = [shape[inner] ?? 1, steps[inner] ?? 0]
  const place = new Array<number>(inner).fill(0)
  let row = 0
  for (let to = 0; to < result.length; to += width) {
    for (let i = 0, from = row; i < width; i++, from += step) result[to + i] = values[from] ?? 0
    for (let axis = inner - 1; axis >= 0; axis--) {
      place[axis] = (place[axis] ?? 0) + 1
      row += steps[axis] ?? 0
      if ((place[axis] ?? 0) < (shape[axis] ?? 0)) break
      row -= (steps[axis] ?? 0) * (shape[axis] ?? 0)
      place[axis] = 0
    }
  }
  return result
}

/** @throws AppError `invalid-package` naming the weight and both shapes */
export function checkShape(
  name: string,
  o: {
    readonly found: readonly number[]
    readonly wanted: readonly number[]
    readonly network: string
  },
): void {
  if (o.found.join() === o.wanted.join()) return
  throw new AppError(
    'invalid-package',
    `"${shownName(name)}" is ${shownShape(o.found)} in the file, but ${o.network} needs ${shownShape(o.wanted)} there.`,
  )
}

/** @throws AppError `invalid-package` */
export function refuseLeftOver(names: readonly string[], network: string): void {
  if (names.length === 0) return
  const some = names.slice(0, 3).map((name) => `"${shownName(name)}"`)
  const more = names.length > some.length ? ` and ${names.length - some.length} more` : ''
  throw new AppError(
    'invalid-package',
    `The file holds weights that ${network} has no place for: ${some.join(', ')}${more}; it is of another network.`,
  )
}
