// Rows of features -> the cloud that they form: mean, scale, a few principal axes, and one variance for what is left.
import { uniforms } from '../../engine/random/counter-random.ts'
import { PURPOSE } from '../../engine/random/draw-purposes.ts'
import { type FeatureCloud, proportions } from '../../inference/familiarity/familiarity.ts'

const MAX_AXES = 32
/** So much of the variance the axes explain, if they can. */
const EXPLAINED = 0.95
const ITERATIONS = 15
/** A feature that hardly ever changes is measured by this share of the usual deviation: it must not count for everything. */
const MIN_SCALE = 0.1
const MIN_VARIANCE = 1e-3

/** Of features as pooled.ts makes them. Undefined when the rows do not differ from each other. */
export function fitCloud(features: readonly Float32Array[]): FeatureCloud | undefined {
  const rows = features.map(proportions)
  const count = rows[0]?.length ?? 0
  const { mean, deviation } = moments(rows, count)
  const usual = median(deviation.filter((value) => value > 0))
  if (usual === undefined) return undefined
  const scale = deviation.map((value) => Math.max(value, MIN_SCALE * usual))
  const z = rows.map((row) =>
    Float64Array.from(row, (value, i) => (value - (mean[i] ?? 0)) / (scale[i] ?? 1)),
  )
  const total = z.reduce((sum, row) => sum + dot(row, row), 0) / z.length
  const wanted = Math.max(1, Math.min(MAX_AXES, count - 1, Math.floor(rows.length / 4)))
  const { axes, variances } = principalAxes(z, wanted)
  let explained = 0
  let kept = 0
  while (kept < variances.length && explained < EXPLAINED * total) {
    explained += variances[kept++] ?? 0
  }
  return {
    mean: Float32Array.from(mean),
    scale: Float32Array.from(scale),
    axes: Float32Array.from(axes.slice(0, kept).flatMap((axis) => [...axis])),
    variances: variances.slice(0, kept).map((value) => Math.max(value, MIN_VARIANCE)),
    residualVariance: Math.max((total - explained) / Math.max(1, count - kept), MIN_VARIANCE),
  }
}

function moments(rows: readonly Float32Array[], count: number) {
  const mean = new Float64Array(count)
  for (const row of rows) for (let i = 0; i < count; i++) mean[i] = (mean[i] ?? 0) + (row[i] ?? 0)
  for (let i = 0; i < count; i++) mean[i] = (mean[i] ?? 0) / rows.length
  const deviation = new Float64Array(count)
  for (const row of rows) {
    for (let i = 0; i < count; i++) {
      deviation[i] = (deviation[i] ?? 0) + ((row[i] ?? 0) - (mean[i] ?? 0)) ** 2
    }
  }
  return { mean, deviation: deviation.map((sum) => Math.sqrt(sum / rows.length)) }
}

/** Orthogonal iteration (Golub and Van Loan 8.2) on the covariance, which is never written down; the largest first. */
function principalAxes(rows: readonly Float64Array[], wanted: number) {
  const count = rows[0]?.length ?? 0
  // Where it begins does not matter, only that it is the same each time.
  let axes: Float64Array[] = Array.from({ length: wanted }, (_, n) =>
    Float64Array.from(uniforms(count, 1, PURPOSE.familiarity, n), (value) => value - 0.5),
  )
  orthonormalise(axes)
  for (let step = 0; step < ITERATIONS; step++) {
    axes = axes.map((axis) => timesCovariance(rows, axis))
    orthonormalise(axes)
  }
  const found = axes.map((axis) => ({ axis, variance: dot(axis, timesCovariance(rows, axis)) }))
  found.sort((a, b) => b.variance - a.variance)
  return { axes: found.map((one) => one.axis), variances: found.map((one) => one.variance) }
}

function timesCovariance(rows: readonly Float64Array[], axis: Float64Array): Float64Array {
  const result = new Float64Array(axis.length)
  for (const row of rows) {
    const along = dot(row, axis) / rows.length
    for (let i = 0; i < result.length; i++) result[i] = (result[i] ?? 0) + along * (row[i] ?? 0)
  }
  return result
}

/** Gram and Schmidt, each twice, in place; what has no direction of its own becomes 0. */
function orthonormalise(axes: readonly Float64Array[]): void {
  axes.forEach((axis, n) => {
    const before = Math.sqrt(dot(axis, axis))
    for (const other of [...axes.slice(0, n), ...axes.slice(0, n)]) {
      const along = dot(axis, other)
      for (let i = 0; i < axis.length; i++) axis[i] = (axis[i] ?? 0) - along * (other[i] ?? 0)
    }
    const length = Math.sqrt(dot(axis, axis))
    const factor = length > 1e-9 * before && length > 0 ? 1 / length : 0
    for (let i = 0; i < axis.length; i++) axis[i] = (axis[i] ?? 0) * factor
  })
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

function median(values: Float64Array): number | undefined {
  return values.toSorted()[Math.floor(values.length / 2)]
}
