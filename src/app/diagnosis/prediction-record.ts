// What is kept and given out of one image and one version: the Prediction of the contract, its warnings included.
import { randomUUID } from 'node:crypto'
import type { ReadImage } from '../../imaging/imaging-job.ts'
import { preprocessingSteps } from '../../imaging/passport.ts'
import { preprocessingDigest } from '../../imaging/preprocessing.ts'
import { imageWarnings } from '../../imaging/suitability/image-warnings.ts'
import { subjectOf } from '../../imaging/suitability/subject.ts'
import type { Diagnosis } from '../../inference/diagnose.ts'
import type { Lease } from '../../inference/lease.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import type { Version } from '../../registry/versions/versions.ts'

export interface PredictionParts {
  readonly condition: Condition
  readonly version: Version
  readonly lease: Lease
  readonly image: ReadImage
  readonly diagnosis: Diagnosis
  /** Milliseconds from the request to here. */
  readonly total: number
}

export function predictionOf(parts: PredictionParts): Prediction {
  const { condition, version, lease, image, diagnosis, total } = parts
  const id = `pr_${randomUUID()}`
  const { heatmap } = diagnosis
  return {
    id,
    condition: condition.id,
    version: lease.versionId,
    sha256: lease.sha256,
    role: lease.role,
    classes: diagnosis.classes,
    decision: diagnosis.decision,
    confidence: diagnosis.confidence,
    calibration: diagnosis.calibration,
    heatmap: heatmap && {
      url: `/api/v1/predictions/${id}/heatmap.png`,
      method: heatmap.method,
      layer: heatmap.layer,
      target: heatmap.target,
      weak: heatmap.weak,
      scale: heatmap.scale,
    },
    image: {
      width: image.width,
      height: image.height,
      sha256: image.sha256,
      format: image.format,
      passport: {
        steps: [...image.passport.steps, ...preprocessingSteps(lease.preprocessing)],
        tags: image.passport.tags,
      },
    },
    familiarity: diagnosis.familiarity,
    preprocessing: preprocessingDigest(lease.preprocessing),
    precision: lease.precision,
    activation: lease.activationId,
    at: new Date().toISOString(),
    warnings: warningsOf({ condition, version, lease, image, diagnosis }),
    timings: {
      decode: image.timings.decode,
      preprocess: image.timings.preprocess,
      infer: diagnosis.timings.infer,
      explain: diagnosis.timings.explain,
      total,
    },
    notice: version.notice,
  }
}

function warningsOf({
  condition,
  version,
  lease,
  image,
  diagnosis,
}: Omit<PredictionParts, 'total'>) {
  const seen = { ...image, tags: image.passport.tags }
  const { preprocessing } = lease
  return [
    ...(version.notice ? [`${version.notice.replace(/\.$/, '')}.`] : []),
    ...(lease.damaged
      ? ['The files of this version are damaged on disk; a verified copy was used.']
      : []),
    ...imageWarnings(seen, { subject: subjectOf(condition), preprocessing }),
    ...image.warnings,
    ...diagnosis.warnings,
  ]
}
