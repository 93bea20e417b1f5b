// From a method's name to a heatmap on an absolute scale: chooses the method and the scale, and says what must be said.
import { AppError } from '../../errors.ts'
import { logitsFromProbabilities } from '../calibrate.ts'
import type { RawOutput, RawScores } from '../host/raw-output.ts'
import type { LoadedVersion } from '../lease.ts'
import { scores } from '../scores.ts'
import { type EvidenceMap, findLayerEvidence, type LayerEvidence, largest } from './evidence.ts'
import { gradCam } from './gradcam.ts'
import { gradCamPlusPlus } from './gradcam-plus-plus.ts'
import { hiResCam } from './hirescam.ts'
import { occlusion } from './occlusion.ts'

/** Methods that read the explained layer's features and gradients. */
const LAYER_METHODS = {
  gradcam: { evidence: gradCam, isInLogits: true },
  'gradcam++': { evidence: gradCamPlusPlus, isInLogits: false },
  hirescam: { evidence: hiResCam, isInLogits: true },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly evidence: (layer: LayerEvidence) => EvidenceMap
      /** Its cells are in logit units, for which a version stores a scale. */
      readonly isInLogits: boolean
    }
  >
>
type LayerMethod = keyof typeof LAYER_METHODS
export type ExplainMethod = LayerMethod | 'occlusion' | 'none'
export const EXPLAIN_METHODS = [
  ...(Object.keys(LAYER_METHODS) as LayerMethod[]),
  'occlusion',
  'none',
] as const satisfies readonly ExplainMethod[]

/** Below this share of the scale the strongest cell is called weak evidence. */
const WEAK = 0.2
/** The layer that occlusion explains. */
export const INPUT_LAYER = 'input'

export interface Heatmap extends EvidenceMap {
  /** The value drawn as full colour. Never the map's own largest value when the version has a reference scale. */
  readonly scale: number
  readonly method: Exclude<ExplainMethod, 'none'>
  readonly layer: string
  /** Label of the explained class. */
  readonly target: string
  readonly weak: boolean
}

export interface ExplainInput {
  readonly version: LoadedVersion
  readonly tensor: Float32Array
  readonly raw: RawOutput
  readonly method: Exclude<ExplainMethod, 'none'>
  readonly layer?: string | undefined
  readonly target: string
  readonly signal?: AbortSignal | undefined
}

/** @throws AppError `unknown-layer`, `unknown-target` */
export async function explain(
  o: ExplainInput,
): Promise<{ readonly heatmap: Heatmap; readonly warnings: readonly string[] }> {
  const { classes, explanation } = o.version.model
  const target = getTargetIndex(classes, o.target)
  const hasLayer = explanation !== null && o.raw.features !== null && o.raw.gradients !== null
  const method = hasLayer ? o.method : 'occlusion'
  const layer = method === 'occlusion' || !explanation ? INPUT_LAYER : explanation.layer
  checkLayer(o, layer)
  const warnings: string[] = []
  if (method !== o.method) {
    warnings.push('This version gives no feature map, so occlusion was used for the heatmap.')
  }
  const maps = method === 'occlusion' ? await occlusionMaps(o) : layerMaps(o, method)
  const map = maps[target]
  if (!map?.grid.every(Number.isFinite)) {
    throw new AppError('internal', 'The heatmap could not be computed.')
  }
  const reference = referenceScale(o, method)
  const strongest = largest(map.grid)
  const scale = reference ?? (Math.max(...maps.map((one) => largest(one.grid))) || 1)
  if (reference === null) {
    warnings.push('No reference scale for this heatmap: colours are relative to this image only.')
  }
  const weak = strongest / scale < WEAK
  return { heatmap: { ...map, scale, method, layer, target: o.target, weak }, warnings }
}

/** A pale map for the class that was decided for is worth a warning; for another class it is what one expects. */
export function warningsOfWeakEvidence(
  { weak, target }: { readonly weak: boolean; readonly target: string },
  decided: string,
): readonly string[] {
  if (!weak || target !== decided) return []
  return [`The evidence for ${target} in the heatmap is weak: no part of the image stands out.`]
}

/** @throws AppError `unknown-target` */
export function getTargetIndex(
  classes: readonly { readonly label: string }[],
  target: string,
): number {
  const index = classes.findIndex((one) => one.label === target)
  if (index >= 0) return index
  throw new AppError(
    'unknown-target',
    `"${target.slice(0, 80)}" is not a class of this condition; it has: ${classes.map((one) => one.label).join(', ')}.`,
  )
}

function checkLayer(o: ExplainInput, layer: string): void {
  if (o.layer === undefined || o.layer === layer) return
  throw new AppError(
    'unknown-layer',
    `"${o.layer.slice(0, 80)}" cannot be explained in this version; omit the layer or use "${layer}".`,
  )
}

function referenceScale(o: ExplainInput, method: Exclude<ExplainMethod, 'none'>): number | null {
  const fits = method !== 'occlusion' && LAYER_METHODS[method].isInLogits
  return fits ? (o.version.model.explanation?.scale ?? null) : null
}

function layerMaps(o: ExplainInput, method: LayerMethod): EvidenceMap[] {
  const { kind, classes } = o.version.model
  return classes.map((_, target) => {
    const layer = findLayerEvidence({ kind, classes, raw: o.raw, target })
    if (!layer) throw new AppError('internal', 'The model gave no feature map.')
    return LAYER_METHODS[method].evidence(layer)
  })
}

async function occlusionMaps(o: ExplainInput): Promise<EvidenceMap[]> {
  const { kind, classes } = o.version.model
  const scoresOf = (raw: RawScores): number[] => {
    const all = scores({ kind, classes, raw, calibration: null })
    const probabilities = all.map((one) => one.uncalibrated)
    const standIns = logitsFromProbabilities(kind, probabilities)
    return all.map((one, index) => one.logit ?? standIns[index] ?? 0)
  }
  return occlusion({ ...o, base: o.raw, scoresOf })
}
