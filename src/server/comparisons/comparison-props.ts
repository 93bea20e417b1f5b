// A comparison of two predictions as its page shows it.
import type { Comparison } from '../../../views/comparisons/show.ts'
import type { ImageComparison } from '../../app/comparisons/compare-image.ts'
import type { Uses } from '../../app/services.ts'
import { sharedScales } from '../../inference/shared-scales.ts'
import type { StoredPrediction } from '../../registry/predictions/predictions.ts'
import { findConditionById, findVersionById } from '../http/page-data.ts'

export async function comparisonProps(
  services: Uses<'db'>,
  { compared, stored }: { compared: ImageComparison; stored: readonly StoredPrediction[] },
): Promise<Comparison> {
  const { a, b, note } = compared
  const scales = note === null ? scalesOf(stored) : undefined
  return {
    ...compared,
    condition: await findConditionById(services, a.condition),
    versionA: await findVersionById(services, a.version),
    versionB: await findVersionById(services, b.version),
    imageAvailable: stored.every((one) => one.imageFile !== null),
    scaleA: scales?.a,
    scaleB: scales?.b,
  }
}

/** At which values the two maps show the same evidence in the same colour; undefined unless both have one. */
function scalesOf(stored: readonly StoredPrediction[]): { a: number; b: number } | undefined {
  const [a, b] = stored.map(({ heatmap, prediction }) =>
    heatmap && prediction.heatmap
      ? {
          method: prediction.heatmap.method,
          width: heatmap.gridWidth,
          height: heatmap.gridHeight,
          scale: heatmap.scale,
          temperature: prediction.calibration?.temperature ?? 1,
        }
      : undefined,
  )
  return a && b && sharedScales(a, b)
}
