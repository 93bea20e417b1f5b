// One image read by one version, from bytes to the stored Prediction: the action behind predict, compare and batch, for
// pages and programs alike. The lease is taken first: it is the place in the queue and says how to prepare the image.
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { ReadImage } from '../../imaging/imaging-job.ts'
import { preprocessingSteps } from '../../imaging/passport.ts'
import { preprocessingDigest } from '../../imaging/preprocessing.ts'
import { imageWarnings } from '../../imaging/suitability/image-warnings.ts'
import { subjectOf } from '../../imaging/suitability/subject.ts'
import { chooseOperatingPoint } from '../../inference/decide.ts'
import { type Diagnosis, diagnose } from '../../inference/diagnose.ts'
import type { ExplainMethod } from '../../inference/explain/explain.ts'
import type { Lease } from '../../inference/lease.ts'
import { findVersionRef, parseVersion } from '../../package/ids.ts'
import { type Condition, getCondition } from '../../registry/conditions/conditions.ts'
import { packageDir } from '../../registry/home/store.ts'
import { type Prediction, storePrediction } from '../../registry/predictions/predictions.ts'
import { findAliasRef, resolveVersion } from '../../registry/versions/aliases.ts'
import { inPrecision } from '../../registry/versions/version-precision.ts'
import { findVersion, getVersion, type Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'
import { leaseOfActive } from './active-lease.ts'
import type { Shadow } from './shadow.ts'
import { leaseOfShare } from './traffic-split.ts'

export interface ReadingRequest {
  readonly condition: string
  readonly image: Uint8Array
  /** Frame of a file that holds several, counted from 1. */
  readonly frame?: number | undefined
  /** `condition/name@n`; the active version when left out. */
  readonly version?: string | undefined
  readonly operatingPoint?: string | undefined
  readonly explain?: ExplainMethod | undefined
  readonly layer?: string | undefined
  readonly target?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Reading {
  readonly prediction: Prediction
  readonly diagnosis: Diagnosis
}

/**
 * Reads, stores and returns; the image is kept beside the result until both expire.
 * @throws AppError `unknown-condition`, `unknown-version`, `no-active-version`, `unknown-operating-point`,
 * `unknown-target`, `unknown-layer`, those of imaging, and `busy`, `loading`, `unavailable`
 */
export async function readWithVersion(
  services: Uses<'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'> & {
    readonly shadow: Shadow
  },
  request: ReadingRequest,
): Promise<Reading> {
  const started = performance.now()
  const condition = await getCondition(services.db, request.condition)
  const wanted =
    request.version === undefined
      ? undefined
      : await versionOf(services, { condition, id: request.version })
  const lease = await leaseFor(services, { condition, wanted, image: request.image })
  try {
    const named = wanted ?? (await getVersion(services.db, parseVersion(lease.versionId)))
    const version = inPrecision(named, lease.precision)
    const operatingPoint = operatingPointOf({ condition, version, lease, request })
    const { prepared, kept } = services.imaging.readAhead(request.image, {
      preprocessing: [lease.preprocessing],
      frame: request.frame,
    })
    const image = await prepared
    const diagnosis = await diagnose({
      lease,
      tensor: image.tensors[0] ?? new Float32Array(),
      calibration: version.calibration,
      operatingPoint,
      explain: {
        method: request.explain ?? 'gradcam',
        layer: request.layer,
        target: request.target,
      },
      signal: request.signal,
    })
    // The lossless copy was made while the model worked.
    const keptPng = await kept
    const total = performance.now() - started
    const prediction = predictionOf({ condition, version, lease, image, diagnosis, total })
    await keep(services, { prediction, keptPng, diagnosis })
    const tensor = image.tensors[0]
    if (tensor) {
      const { preprocessing } = lease
      services.shadow.offer({ condition, prediction, tensor, preprocessing, bytes: request.image })
    }
    return { prediction, diagnosis }
  } finally {
    lease.release()
  }
}

/**
 * What can be said before any image is read; returns the condition's id.
 * @throws AppError `unknown-condition`, `unknown-version`, `no-active-version`
 */
export async function checkAnswerable(
  services: Uses<'db' | 'makeReady'>,
  { condition: conditionId, version }: Pick<ReadingRequest, 'condition' | 'version'>,
): Promise<string> {
  const condition = await getCondition(services.db, conditionId)
  const { id, active } = condition
  if (version !== undefined) await versionOf(services, { condition, id: version })
  else if (!active) {
    await services.makeReady(id)
    if (!(await getCondition(services.db, id)).active) {
      throw new AppError(
        'no-active-version',
        `No version answers for "${id}" yet; activate one first.`,
      )
    }
  }
  return id
}

/** A version of this very condition. @throws AppError `unknown-version` */
async function versionOf(
  services: Uses<'db'>,
  { condition, id }: { condition: Condition; id: string },
): Promise<Version> {
  const ref = findAliasRef(id) ? await resolveVersion(services.db, id) : findVersionRef(id.trim())
  const version = ref?.condition === condition.id ? await findVersion(services.db, ref) : undefined
  if (version && version.status !== 'deleted') return version
  throw new AppError(
    'unknown-version',
    `${condition.name} has no version "${id.slice(0, 160)}"; its versions are listed on the models page.`,
  )
}

async function leaseFor(
  services: Uses<'db' | 'makeReady' | 'runtime' | 'store'>,
  o: { condition: Condition; wanted: Version | undefined; image: Uint8Array },
): Promise<Lease> {
  const { condition, wanted, image } = o
  if (wanted) {
    const { id, sha256 } = wanted
    return services.runtime.leaseVersion({ id, sha256, dir: packageDir(services.store, wanted) })
  }
  const challenger = await leaseOfShare(services, { condition, image })
  return challenger ?? leaseOfActive(services, condition.id)
}

function operatingPointOf(o: {
  condition: Condition
  version: Version
  lease: Lease
  request: ReadingRequest
}) {
  const { kind, classes } = o.lease.model
  const inUse = o.condition.operatingPoint ?? o.version.defaultOperatingPoint
  return chooseOperatingPoint({
    points: o.version.operatingPoints,
    wanted: o.request.operatingPoint,
    inUse,
    kind,
    classes,
  })
}

interface Parts {
  readonly condition: Condition
  readonly version: Version
  readonly lease: Lease
  readonly image: ReadImage
  readonly diagnosis: Diagnosis
  readonly total: number
}

function predictionOf({ condition, version, lease, image, diagnosis, total }: Parts): Prediction {
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

function warningsOf({ condition, version, lease, image, diagnosis }: Omit<Parts, 'total'>) {
  const seen = { ...image, tags: image.passport.tags }
  const { preprocessing } = lease
  return [
    ...(version.notice ? [`${version.notice.replace(/\.$/, '')}.`] : []),
    ...(lease.damaged
      ? ['The files of this version are damaged on disk; a verified copy of it answered.']
      : []),
    ...imageWarnings(seen, { subject: subjectOf(condition), preprocessing }),
    ...image.warnings,
    ...diagnosis.warnings,
  ]
}

async function keep(
  services: Uses<'config' | 'db' | 'metrics' | 'store'>,
  {
    prediction,
    keptPng,
    diagnosis,
  }: Pick<Parts, 'diagnosis'> & { prediction: Prediction; keptPng: Uint8Array | undefined },
): Promise<void> {
  const { heatmap } = diagnosis
  const imageFile = keptPng ? `${prediction.id}.png` : null
  if (keptPng && imageFile) {
    await writeFile(join(services.store.uploadsDir, imageFile), keptPng, { mode: 0o600 })
  }
  await storePrediction(services.db, {
    prediction,
    heatmap: heatmap && {
      grid: heatmap.grid,
      gridWidth: heatmap.width,
      gridHeight: heatmap.height,
      scale: heatmap.scale,
    },
    imageFile,
    expiresAt: new Date(Date.now() + services.config.keepUploadsMs).toISOString(),
  })
  services.metrics.count('roentgen_predictions_total', 'Images read, by version.', {
    condition: prediction.condition,
    version: prediction.version,
    role: prediction.role,
  })
  services.metrics.observe('roentgen_prediction_seconds', 'Time of one reading.', {
    labels: { condition: prediction.condition },
    seconds: prediction.timings.total / 1000,
  })
}
