// A model in Keras' words, before it is written in the dialect of one version: layers, how they are joined, their weights.
import { AppError } from '../../../errors.ts'

export type Config = Readonly<Record<string, unknown>>

/** Output of a layer: its name, which of its calls (as TF.js and Keras 2 count them), which of that call's tensors. */
export type Reference = readonly [layer: string, node: number, tensor: number]

/** Positional arguments of one call; a list is one argument. */
export type Call = readonly (Reference | readonly Reference[])[]

export interface Variable {
  /** As in Keras 3, such as `kernel` or `query/kernel`. */
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array
}

export interface KerasLayer {
  readonly className: string
  readonly name: string
  readonly config: Config
  readonly calls: readonly Call[]
  /** Of its output, the batch first. */
  readonly shape: readonly (number | null)[]
  /** In Keras' order. */
  readonly variables: readonly Variable[]
  /** Attributes of the layer that hold its variables, where it has layers of its own: `query_dense` holds two. */
  readonly parts?: readonly { readonly attribute: string; readonly count: number }[]
  /** Of a nested model. */
  readonly model?: KerasModel
}

export interface KerasModel {
  readonly className: 'Functional' | 'Sequential'
  readonly name: string
  readonly layers: readonly KerasLayer[]
  readonly inputs: readonly Reference[]
  readonly outputs: readonly Reference[]
}

/** Thrown by every part of the writer: the model has something that this format cannot say. */
export function unwritable(sentence: string): AppError {
  return new AppError('invalid', sentence)
}
