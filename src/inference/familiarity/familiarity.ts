// How far an image is from the training images, by the features that its reading gave: the Mahalanobis distance (Lee et al.
// 2018) under a covariance of a few axes and one variance for all other directions (Tipping and Bishop 1999).
import { AppError } from '../../errors.ts'
import type { FamiliarityConfig } from '../../package/schema.ts'

/** What the distance is taken with; fitted at training. */
export interface FeatureCloud {
  readonly mean: Float32Array // [F]
  /** Standard deviation of each feature, never 0. */
  readonly scale: Float32Array // [F]
  /** Orthonormal, one after the other: [variances.length, F]. */
  readonly axes: Float32Array
  readonly variances: readonly number[]
  readonly residualVariance: number
}

export interface FamiliarityModel extends FeatureCloud {
  readonly threshold: number
}

/** `score` is the distance over the threshold: from 0, and above 1 when the image is unlike the training images. */
export interface Familiarity {
  readonly score: number
  readonly outOfDistribution: boolean
}

export const UNFAMILIAR = 'This image differs from the training images; do not rely on this result.'

/** Null without a model, or when the features are not as many as it was fitted to or not numbers. */
export function familiarityOf(
  model: FamiliarityModel | null,
  embedding: Float32Array | null,
): Familiarity | null {
  if (!model || embedding?.length !== model.mean.length) return null
  const score = distance(model, embedding) / model.threshold
  return Number.isFinite(score) ? { score, outOfDistribution: score > 1 } : null
}

/**
 * What is compared of features: their proportions, large ones damped. The root of each with its sign, then length 1
 * (Perronnin et al. 2010; that the length hides what is foreign: Mueller and Hein 2025).
 */
export function proportions(features: ArrayLike<number>): Float32Array {
  const roots = Float32Array.from(
    features,
    (value) => Math.sign(value) * Math.sqrt(Math.abs(value)),
  )
  const length = Math.sqrt(roots.reduce((sum, value) => sum + value * value, 0))
  return length > 0 ? roots.map((value) => value / length) : roots
}

/** `features` as pooled.ts makes them; so many are `F` here. */
export function distance(cloud: FeatureCloud, features: ArrayLike<number>): number {
  const { mean, scale, axes, variances, residualVariance } = cloud
  const count = mean.length
  const compared = proportions(features)
  const z = new Float64Array(count)
  let rest = 0
  for (let i = 0; i < count; i++) {
    const value = ((compared[i] ?? 0) - (mean[i] ?? 0)) / (scale[i] ?? 1)
    z[i] = value
    rest += value * value
  }
  let sum = 0
  variances.forEach((variance, axis) => {
    let along = 0
    for (let i = 0; i < count; i++) along += (z[i] ?? 0) * (axes[axis * count + i] ?? 0)
    sum += (along * along) / variance
    rest -= along * along
  })
  return Math.sqrt(sum + Math.max(0, rest) / residualVariance)
}

/** The numbers of the package's file: mean, scale, axes; float32, little endian. @throws AppError `load-failed` */
export function decodeFamiliarity(config: FamiliarityConfig, bytes: Uint8Array): FamiliarityModel {
  const { features, variances, residualVariance, threshold } = config
  if (bytes.length !== 4 * features * (2 + variances.length)) {
    throw new AppError('load-failed', 'The version cannot be loaded: its familiarity is cut off.')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const all = Float32Array.from({ length: bytes.length / 4 }, (_, i) =>
    view.getFloat32(4 * i, true),
  )
  const [mean, scale] = [all.subarray(0, features), all.subarray(features, 2 * features)]
  if (!all.every(Number.isFinite) || !scale.every((value) => value > 0)) {
    throw new AppError('load-failed', 'The version cannot be loaded: its familiarity is no number.')
  }
  const axes = all.subarray(2 * features)
  return { mean, scale, axes, variances, residualVariance, threshold }
}

export function encodeFamiliarity({ mean, scale, axes }: FeatureCloud): Uint8Array {
  const all = [...mean, ...scale, ...axes]
  const view = new DataView(new ArrayBuffer(4 * all.length))
  all.forEach((value, i) => {
    view.setFloat32(4 * i, value, true)
  })
  return new Uint8Array(view.buffer)
}
