// What a model host gives back for one image, before any meaning is put on it. Data only.

/** Row-major values with their shape. */
export interface Volume {
  readonly data: Float32Array
  readonly dims: readonly number[]
}

/** One row of scores; at least one of the two is there. K is 1 for a binary graph, else the number of classes. */
export interface RawScores {
  readonly logits: Float32Array | null // [K], before the last activation
  readonly probabilities: Float32Array | null // [K], after it
}

export interface RawOutput extends RawScores {
  readonly features: Volume | null // [1, h, w, F]
  readonly gradients: Volume | null // [K, h, w, F] or [K, 1, 1, F]: d logit_k / d features
  /** Each feature averaged over each quarter of the image; null where the graph gives no features. */
  readonly embedding: Float32Array | null // [4, F]
  /** Time of the run in the host. */
  readonly inferMs: number
}

/** A rectangle of the model's input in pixels; x1 and y1 are exclusive. */
export interface Patch {
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
}
