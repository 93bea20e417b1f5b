// A prediction as the server makes it, with chosen numbers, for tests that need no image.
import { randomUUID } from 'node:crypto'
import { sha256Of } from '../../src/package/hash-file.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'

export interface PredictionOptions {
  readonly version: { readonly id: string; readonly sha256: string; readonly condition: string }
  /** Calibrated probability of PNEUMONIA; the decision is at 0.5. */
  readonly positive: number
  readonly role?: Prediction['role']
  /** Digest of the image's bytes; another image each time when left out. */
  readonly image?: string
}

export function aPrediction({
  version,
  positive,
  role = 'active',
  image,
}: PredictionOptions): Prediction {
  const logit = Math.log(positive / (1 - positive))
  const isPositive = positive >= 0.5
  const label = isPositive ? 'PNEUMONIA' : 'NORMAL'
  return {
    id: `pr_${randomUUID()}`,
    condition: version.condition,
    version: version.id,
    sha256: version.sha256,
    role,
    classes: [
      { label: 'NORMAL', probability: 1 - positive, uncalibrated: 1 - positive, logit: -logit },
      { label: 'PNEUMONIA', probability: positive, uncalibrated: positive, logit },
    ],
    decision: {
      label,
      positive: isPositive,
      threshold: 0.5,
      operatingPoint: 'default',
      findings: [{ label: 'PNEUMONIA', positive: isPositive, threshold: 0.5 }],
    },
    confidence: isPositive ? positive : 1 - positive,
    calibration: null,
    heatmap: null,
    image: { width: 64, height: 32, sha256: image ?? sha256Of(randomUUID()), format: 'png' },
    familiarity: null,
    preprocessing: 'c'.repeat(64),
    precision: 'float32',
    activation: 'act_1',
    at: new Date().toISOString(),
    warnings: [],
    timings: { decode: 1, preprocess: 2, infer: 3, explain: 0, total: 6 },
  }
}
