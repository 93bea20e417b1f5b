// A plain L2 logistic regression on small vectors and the area under the ROC curve: what a model that only sees
// brightness can know. Used to show that the synthetic conditions are not solved by it.

export interface Example {
  readonly features: Float64Array
  /** 1 or 0. */
  readonly target: number
}

/** Scores of `test` by a model fitted on `train`: standardised features, gradient descent with momentum. */
export function logisticScores(
  train: readonly Example[],
  test: readonly Example[],
  options: { readonly penalty: number; readonly steps?: number },
): number[] {
  const { penalty, steps = 150 } = options
  const standardise = standardiser(train)
  const rows = train.map((one) => standardise(one.features))
  const d = rows[0]?.length ?? 0
  const weights = new Float64Array(d)
  const speed = new Float64Array(d)
  // The mean squared norm of a standardised row is d, so this rate is stable whatever d is.
  const rate = 2 / (0.25 * d + penalty)
  let bias = 0
  for (let step = 0; step < steps; step++) {
    const gradient = weights.map((w) => penalty * w)
    let biasGradient = 0
    rows.forEach((row, n) => {
      const error = (sigmoid(dot(row, weights) + bias) - (train[n] as Example).target) / rows.length
      biasGradient += error
      for (let j = 0; j < d; j++) gradient[j] = (gradient[j] as number) + error * (row[j] as number)
    })
    for (let j = 0; j < d; j++) {
      speed[j] = 0.9 * (speed[j] as number) - rate * (gradient[j] as number)
      weights[j] = (weights[j] as number) + (speed[j] as number)
    }
    bias -= biasGradient
  }
  return test.map((one) => dot(standardise(one.features), weights) + bias)
}

/** Probability that a positive scores above a negative; ties count half. */
export function areaUnderRoc(scores: readonly number[], targets: readonly number[]): number {
  let [wins, pairs] = [0, 0]
  scores.forEach((positive, i) => {
    if (targets[i] !== 1) return
    scores.forEach((negative, j) => {
      if (targets[j] !== 0) return
      pairs += 1
      wins += positive > negative ? 1 : positive === negative ? 0.5 : 0
    })
  })
  return wins / pairs
}

function standardiser(train: readonly Example[]): (features: Float64Array) => Float64Array {
  const d = train[0]?.features.length ?? 0
  const mean = new Float64Array(d)
  const square = new Float64Array(d)
  for (const { features } of train) {
    for (let j = 0; j < d; j++) {
      mean[j] = (mean[j] as number) + (features[j] as number) / train.length
      square[j] = (square[j] as number) + (features[j] as number) ** 2 / train.length
    }
  }
  const scale = square.map((s, j) => 1 / Math.sqrt(Math.max(1e-8, s - (mean[j] as number) ** 2)))
  return (features) => features.map((x, j) => (x - (mean[j] as number)) * (scale[j] as number))
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += (a[j] as number) * (b[j] as number)
  return sum
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z))
}
