// One image through one version: scores, decision, confidence and heatmap. Knows nothing of HTTP, storage or pixels.
import { AppError } from '../errors.ts'
import type { Calibration, OperatingPoint } from '../package/schema.ts'
import { type Decision, decide } from './decide.ts'
import {
  type ExplainMethod,
  explain,
  getTargetIndex,
  type Heatmap,
  warningsOfWeakEvidence,
} from './explain/explain.ts'
import { type Familiarity, familiarityOf, UNFAMILIAR } from './familiarity/familiarity.ts'
import type { LoadedVersion } from './lease.ts'
import { type ClassScore, scores } from './scores.ts'

export { EXPLAIN_METHODS, type ExplainMethod } from './explain/explain.ts'

export interface Diagnosis {
  readonly classes: readonly ClassScore[]
  readonly decision: Decision
  /** The calibrated probability of `decision.label`. */
  readonly confidence: number
  readonly calibration: Omit<Calibration, 'n'> | null
  /** Null with `explain: none`. */
  readonly heatmap: Heatmap | null
  /** Null when the version does not say what is familiar to it. */
  readonly familiarity: Familiarity | null
  /** Sentences for the reader of the result. */
  readonly warnings: readonly string[]
  /** Milliseconds, waiting in the queue included. */
  readonly timings: { readonly infer: number; readonly explain: number }
}

export interface DiagnoseInput {
  readonly lease: LoadedVersion
  readonly tensor: Float32Array // [1, height, width, channels]
  readonly calibration: Calibration | null
  readonly operatingPoint: OperatingPoint
  readonly explain: {
    readonly method: ExplainMethod
    readonly layer?: string | undefined
    /** Class to explain; the decided one when left out. */
    readonly target?: string | undefined
  }
  readonly signal?: AbortSignal | undefined
}

/** @throws AppError `unknown-target`, `unknown-layer` and whatever `LoadedVersion.infer` throws */
export async function diagnose(o: DiagnoseInput): Promise<Diagnosis> {
  const { kind, classes } = o.lease.model
  const { method, layer, target } = o.explain
  if (target !== undefined) getTargetIndex(classes, target)
  const started = performance.now()
  const wantsLayer = method !== 'none' && method !== 'occlusion'
  const raw = await o.lease.infer(o.tensor, { explain: wantsLayer, signal: o.signal })
  const inferred = performance.now()
  const classScores = scores({ kind, classes, raw, calibration: o.calibration })
  const decision = decide({ kind, classes, scores: classScores, operatingPoint: o.operatingPoint })
  const decided = classScores.find((one) => one.label === decision.label)
  if (!decided) throw new AppError('internal', 'The decision names no class of the condition.')
  const explained =
    method === 'none'
      ? { heatmap: null, warnings: [] }
      : await explain({
          version: o.lease,
          tensor: o.tensor,
          raw,
          method,
          layer,
          target: target ?? decision.label,
          signal: o.signal,
        })
  const familiarity = familiarityOf(o.lease.familiarity, raw.embedding)
  return {
    classes: classScores,
    decision,
    confidence: decided.probability,
    calibration: o.calibration && shown(o.calibration),
    heatmap: explained.heatmap,
    familiarity,
    warnings: [
      ...(familiarity?.outOfDistribution ? [UNFAMILIAR] : []),
      ...explained.warnings,
      ...(explained.heatmap ? warningsOfWeakEvidence(explained.heatmap, decision.label) : []),
    ],
    timings: { infer: inferred - started, explain: performance.now() - inferred },
  }
}

function shown({
  method,
  temperature,
  eceBefore,
  eceAfter,
}: Calibration): Diagnosis['calibration'] {
  return { method, temperature, eceBefore, eceAfter }
}
