// Multinomial logistic regression with an L2 penalty on standardised features: what the out-of-fold look at labels is done
// with. Nesterov's accelerated gradient, a fixed number of steps, no randomness: the same input gives the same weights.

export interface LabelledRows {
  /** Features of each image, all of one length. */
  readonly rows: readonly Float32Array[]
  /** Class of each image, from 0. */
  readonly labels: readonly number[]
}

const STEPS = 200
/** Inverse strength as scikit-learn's C. */
const C = 0.1
const MIN_DEVIATION = 1e-6

/** Fits on `train`. @returns probabilities of each class for each of `rows`, [rows][classes] */
export function softmaxRegression(
  train: LabelledRows,
  { rows, classes }: { readonly rows: readonly Float32Array[]; readonly classes: number },
): number[][] {
  const standardise = standardiser(train.rows)
  const x = train.rows.map(standardise)
  const size = (x[0]?.length ?? 0) + 1
  const penalty = 1 / (C * Math.max(1, x.length))
  const rate = 1 / (0.5 * largestEigenvalue(x) + penalty)
  let weights = new Float64Array(size * classes)
  let ahead = weights
  for (let step = 1; step <= STEPS; step++) {
    const gradient = ahead.map((w, i) => (i % size === size - 1 ? 0 : penalty * w))
    for (const [n, row] of x.entries()) {
      const p = probabilities(row, ahead, classes)
      for (let k = 0; k < classes; k++) {
        const error = ((p[k] as number) - (train.labels[n] === k ? 1 : 0)) / x.length
        const at = k * size
        for (let j = 0; j < size - 1; j++) {
          gradient[at + j] = (gradient[at + j] as number) + error * (row[j] as number)
        }
        gradient[at + size - 1] = (gradient[at + size - 1] as number) + error
      }
    }
    const next = ahead.map((w, i) => w - rate * (gradient[i] as number))
    const momentum = (step - 1) / (step + 2)
    const before = weights
    ahead = next.map((w, i) => w + momentum * (w - (before[i] as number)))
    weights = next
  }
  return rows.map((row) => probabilities(standardise(row), weights, classes))
}

/** The last weight of each class is its bias. */
function probabilities(row: Float64Array, weights: Float64Array, classes: number): number[] {
  const size = row.length + 1
  const logits = Array.from({ length: classes }, (_, k) => {
    let sum = weights[k * size + size - 1] as number
    for (let j = 0; j < row.length; j++) {
      sum += (weights[k * size + j] as number) * (row[j] as number)
    }
    return sum
  })
  const most = Math.max(...logits)
  const powers = logits.map((z) => Math.exp(z - most))
  const total = powers.reduce((sum, one) => sum + one, 0)
  return powers.map((one) => one / total)
}

/** Mean 0 and deviation 1 over the rows it was made from; a feature that never changes gives 0. */
function standardiser(rows: readonly Float32Array[]): (row: Float32Array) => Float64Array {
  const size = rows[0]?.length ?? 0
  const mean = new Float64Array(size)
  const square = new Float64Array(size)
  for (const row of rows) {
    for (let j = 0; j < size; j++) mean[j] = (mean[j] as number) + (row[j] as number) / rows.length
  }
  for (const row of rows) {
    for (let j = 0; j < size; j++) {
      square[j] =
        (square[j] as number) + ((row[j] as number) - (mean[j] as number)) ** 2 / rows.length
    }
  }
  const scale = square.map((s) => (Math.sqrt(s) < MIN_DEVIATION ? 0 : 1 / Math.sqrt(s)))
  return (row) =>
    Float64Array.from(row, (value, j) => (value - (mean[j] as number)) * (scale[j] as number))
}

/** Of X'X / n with a column of ones, by power iteration: bounds the curvature, so that the steps are as long as is safe. */
function largestEigenvalue(x: readonly Float64Array[]): number {
  const size = (x[0]?.length ?? 0) + 1
  let vector = new Float64Array(size).fill(1 / Math.sqrt(size))
  let value = 1
  for (let step = 0; step < 20; step++) {
    const next = new Float64Array(size)
    for (const row of x) {
      let product = vector[size - 1] as number
      for (let j = 0; j < size - 1; j++) product += (row[j] as number) * (vector[j] as number)
      for (let j = 0; j < size - 1; j++) {
        next[j] = (next[j] as number) + (product * (row[j] as number)) / x.length
      }
      next[size - 1] = (next[size - 1] as number) + product / x.length
    }
    value = Math.hypot(...next) || 1
    vector = next.map((one) => one / value)
  }
  // It nears the value from below.
  return value * 1.1
}
