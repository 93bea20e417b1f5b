// The hold that a request has on one version: what it may know and do until it lets go. Types only; given out by
// runtime.ts, used by diagnose.ts and the server.
import type { Preprocessing } from '../imaging/preprocessing.ts'
import type { ModelConfig, Precision } from '../package/schema.ts'
import type { FamiliarityModel } from './familiarity/familiarity.ts'
import type { Patch, RawOutput, RawScores } from './host/raw-output.ts'

export interface InferOptions {
  /** Also bring features and gradients, where the graph has them. */
  readonly explain?: boolean
  /** Aborted: leaves the queue at once; a run that has begun gets a moment to finish, then its host is ended. */
  readonly signal?: AbortSignal | undefined
}

/** Several calls of `inferMasked` that have one limit of time together. */
export interface MaskedWork {
  /** Of all calls. */
  readonly patches: number
  /** What the calls so far took; written by the version. */
  spentMs: number
}

export interface MaskedOptions {
  readonly patches: readonly Patch[]
  /** What a hidden pixel becomes, one value a channel, in the tensor's own units. */
  readonly fill: readonly number[]
  /** Without it the call has a limit of its own. */
  readonly work?: MaskedWork | undefined
  readonly signal?: AbortSignal | undefined
}

/** All that a diagnosis needs of a version. */
export interface LoadedVersion {
  readonly model: ModelConfig
  readonly preprocessing: Preprocessing
  /** Tells images that are unlike the training images; null when the package does not say. */
  readonly familiarity: FamiliarityModel | null
  /**
   * One image. `tensor` is NHWC [1, height, width, channels] as `preprocessing` says.
   * @throws AppError `busy` (queue full), `loading`, `unavailable` (the host failed twice, or took too long once), `invalid` (wrong length)
   */
  infer(tensor: Float32Array, options?: InferOptions): Promise<RawOutput>
  /** The same image with each patch hidden in turn; one row of scores for each patch. */
  inferMasked(tensor: Float32Array, options: MaskedOptions): Promise<RawScores[]>
}

export interface Lease extends LoadedVersion {
  /** `condition/name@n` */
  readonly versionId: string
  readonly sha256: string
  /** Of the graph that answers. */
  readonly precision: Precision
  /** The activation that made it the active one; null for a version that was asked for by name. */
  readonly activationId: string | null
  readonly role: 'active' | 'challenger' | 'requested'
  /** The package on disk differs from its manifest; the private verified copy answers. */
  readonly damaged: boolean
  /** Lets go; a second call does nothing. */
  release(): void
}
