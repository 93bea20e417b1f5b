// What counts as strong evidence in a heatmap of this model: the scale that every map of it is drawn on, never stretched.
import type { Session } from '../engine/session.ts'
import { findLayerEvidence, largest } from '../inference/explain/evidence.ts'
import { gradCam } from '../inference/explain/gradcam.ts'
import { scores } from '../inference/scores.ts'
import type { Graph } from '../package/schema.ts'
import type { Prepared, PreparedImage } from './dataset/prepared.ts'
import { runOne } from './predict.ts'

/** Enough for a stable percentile; each costs one run. */
const MAX_IMAGES = 120
const PERCENTILE = 0.95

/**
 * The 95th percentile of the strongest Grad-CAM cell (logit units) over images of a positive class that the model
 * finds, on the calibration split; without one, over all its images. Null when the graph cannot explain.
 */
export async function measureHeatmapScale(
  session: Session,
  o: {
    readonly graph: Graph
    readonly prepared: Prepared
    readonly images: readonly PreparedImage[]
  },
): Promise<number | null> {
  const { graph, prepared } = o
  const { features, gradients, logits } = graph.outputs
  if (!features || !gradients || !logits) return null
  const { kind, classes } = prepared.index
  const found: number[] = []
  const others: number[] = []
  for (const image of o.images.slice(0, MAX_IMAGES)) {
    const all = await runOne(session, { prepared, image, inputName: graph.input.name })
    const [z, f, g] = [all[logits], all[features], all[gradients]]
    if (!z || !f || !g) return null
    const said = scores({
      kind,
      classes,
      raw: { logits: z.data, probabilities: null },
      calibration: null,
    })
    const top = said.reduce(
      (best, one, k) => (one.probability > (said[best]?.probability ?? 0) ? k : best),
      0,
    )
    const target = image.classes.find((k) => classes[k]?.positive) ?? top
    const layer = findLayerEvidence({ kind, classes, target, raw: { features: f, gradients: g } })
    if (!layer) return null
    const strongest = largest(gradCam(layer).grid)
    const right = classes[target]?.positive && (said[target]?.probability ?? 0) >= 0.5
    ;(right ? found : others).push(strongest)
  }
  return percentile(found.length > 0 ? found : others)
}

function percentile(values: readonly number[]): number | null {
  const ascending = values.filter((value) => value > 0).sort((a, b) => a - b)
  return (
    ascending[Math.min(ascending.length - 1, Math.floor(PERCENTILE * ascending.length))] ?? null
  )
}
