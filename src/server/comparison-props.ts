// A comparison of two readings as its page shows it.
import type { Comparison } from '../../views/comparison.ts'
import { sharedScales } from '../inference/compare.ts'
import type { StoredPrediction } from '../registry/predictions/predictions.ts'
import type { Comparing } from './comparing.ts'
import type { Home } from './home.ts'
import { findConditionById, findVersionById } from './page-data.ts'

export async function comparisonProps(
  home: Home,
  { compared, stored }: { compared: Comparing; stored: readonly StoredPrediction[] },
): Promise<Comparison> {
  const { a, b, note } = compared
  const scales = note === null ? scalesOf(stored) : undefined
  return {
    ...compared,
    condition: await findConditionById(home, a.condition),
    versionA: await findVersionById(home, a.version),
    versionB: await findVersionById(home, b.version),
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
