// What the web process and a model host say to each other over the pipe (structured clone, so typed arrays travel as
// they are). Types only.
import type { Graph } from '../../package/schema.ts'
import type { Patch, RawOutput, RawScores } from './raw-output.ts'

/** Height, width and channels of the model's input; the batch is always 1. */
export interface InputShape {
  readonly height: number
  readonly width: number
  readonly channels: number
}

export interface LoadRequest {
  readonly kind: 'load'
  readonly graph: Graph
  /** The graph's file in the private copy, and the digest that its bytes must have. */
  readonly path: string
  readonly sha256: string
  readonly shape: InputShape
  readonly threads: number
  readonly isBackground: boolean
}

export interface InferRequest {
  readonly kind: 'infer'
  readonly id: number
  readonly tensor: Float32Array // NHWC [1, height, width, channels]
  readonly explain: boolean
}

export interface MaskedRequest {
  readonly kind: 'masked'
  readonly id: number
  readonly tensor: Float32Array
  readonly patches: readonly Patch[]
  readonly fill: readonly number[] // [channels]
}

export type ToHost = LoadRequest | InferRequest | MaskedRequest

export interface HostError {
  readonly code: 'hash-mismatch' | 'load-failed' | 'internal'
  /** A sentence for a person. */
  readonly message: string
  /** What really happened, for the log. */
  readonly cause: string
}

export type FromHost =
  /** The process is up and listens. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'loaded'; readonly rssBytes: number }
  | { readonly kind: 'load-failed'; readonly error: HostError }
  | {
      readonly kind: 'output'
      readonly id: number
      readonly raw: RawOutput
      readonly rssBytes: number
    }
  | {
      readonly kind: 'rows'
      readonly id: number
      readonly rows: readonly RawScores[]
      readonly rssBytes: number
    }
  | { readonly kind: 'run-failed'; readonly id: number; readonly error: HostError }
