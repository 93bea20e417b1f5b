// One image through one version, from bytes to the stored Prediction: the action behind predict, compare, batches and the
// archive, for pages and programs alike. How an image meets a version is infer-image.ts.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Diagnosis } from '../../inference/diagnose.ts'
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
import { type DecisionRule, inferImage, leased, ruleOfVersion } from './infer-image.ts'
import { predictionOf } from './prediction-record.ts'
import type { Shadow } from './shadow.ts'
import { leaseOfShare } from './traffic-split.ts'

export interface PredictionRequest {
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

/**
 * Predicts, stores and returns; the image is kept beside the result until both expire.
 * @throws AppError `unknown-condition`, `unknown-version`, `no-active-version`, `unknown-operating-point`,
 * `unknown-target`, `unknown-layer`, those of imaging, and `busy`, `loading`, `unavailable`
 */
export async function predictImage(
  services: Uses<'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'> & {
    readonly shadow: Shadow
  },
  request: PredictionRequest,
): Promise<Prediction> {
  const started = performance.now()
  const condition = await getCondition(services.db, request.condition)
  const wanted =
    request.version === undefined
      ? undefined
      : await versionOf(services, { condition, id: request.version })
  const inferred = await inferImage(services, {
    hold: leased(() => leaseFor(services, { condition, wanted, image: request.image })),
    rule: (lease) => ruleOf(services, { condition, wanted, lease }),
    image: request.image,
    frame: request.frame,
    operatingPoint: request.operatingPoint,
    explain: {
      method: request.explain ?? 'gradcam',
      layer: request.layer,
      target: request.target,
    },
    keepPng: true,
    signal: request.signal,
  })
  const { diagnosis, image, tensor, held: lease, rule, keptPng } = inferred
  const total = performance.now() - started
  const prediction = predictionOf({
    condition,
    version: rule.version,
    lease,
    image,
    diagnosis,
    total,
  })
  await keep(services, { prediction, keptPng, diagnosis })
  const { preprocessing } = lease
  const { image: bytes, frame } = request
  services.shadow.offer({ condition, prediction, tensor, preprocessing, bytes, frame })
  return prediction
}

/**
 * Checks what can be checked before an image is decoded; returns the condition's id.
 * @throws AppError `unknown-condition`, `unknown-version`, `no-active-version`
 */
export async function checkAnswerable(
  services: Uses<'db' | 'makeReady'>,
  { condition: conditionId, version }: Pick<PredictionRequest, 'condition' | 'version'>,
): Promise<string> {
  const condition = await getCondition(services.db, conditionId)
  const { id, active } = condition
  if (version !== undefined) await versionOf(services, { condition, id: version })
  else if (!active) {
    await services.makeReady(id)
    if (!(await getCondition(services.db, id)).active) {
      throw new AppError('no-active-version', `No active version for "${id}"; activate one first.`)
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

/** The graph that answers decides by its own figures, at the condition's operating point where one is set. */
async function ruleOf(
  services: Uses<'db'>,
  o: { condition: Condition; wanted: Version | undefined; lease: Lease },
): Promise<DecisionRule & { readonly version: Version }> {
  const named = o.wanted ?? (await getVersion(services.db, parseVersion(o.lease.versionId)))
  const version = inPrecision(named, o.lease.precision)
  return { version, ...ruleOfVersion(version, o.condition) }
}

async function keep(
  services: Uses<'config' | 'db' | 'metrics' | 'store'>,
  {
    prediction,
    keptPng,
    diagnosis,
  }: { prediction: Prediction; keptPng: Uint8Array | undefined; diagnosis: Diagnosis },
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
  services.metrics.count('roentgen_predictions_total', 'Predictions, by version.', {
    condition: prediction.condition,
    version: prediction.version,
    role: prediction.role,
  })
  services.metrics.observe('roentgen_prediction_seconds', 'Time of one prediction.', {
    labels: { condition: prediction.condition },
    seconds: prediction.timings.total / 1000,
  })
}
