// The compare page, its form, and the permanent address of a comparison: two predictions side by side.
import { type Context, Hono } from 'hono'
import { comparePage } from '../../../views/compare.ts'
import { type Comparison, compareResult } from '../../../views/comparison.ts'
import type { ProblemProps } from '../../../views/error.ts'
import { links } from '../../../views/links.ts'
import { sharedScales } from '../../inference/compare.ts'
import { getPrediction, type StoredPrediction } from '../../registry/predictions.ts'
import type { AppEnv } from '../app-env.ts'
import { type Comparing, comparePredictions, compareVersions } from '../comparing.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import { readImageFields, requiredField } from '../image-fields.ts'
import {
  exampleProps,
  findConditionById,
  findVersionById,
  listChoices,
  problemProps,
  seeOther,
  uploadLimits,
} from '../page-data.ts'
import { wantsFragment } from '../problem.ts'
import { queryText } from '../requests.ts'

export function comparePages(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/compare', async (c) => {
    const [left, right] = [queryText(c, 'left'), queryText(c, 'right')]
    if (left === undefined || right === undefined) return c.html(await page(c, {}))
    const a = await getPrediction(home.db, left)
    const b = await getPrediction(home.db, right)
    const result = await comparison(comparePredictions(a.prediction, b.prediction), [a, b])
    return wantsFragment(c) ? c.html(compareResult(result)) : c.html(await page(c, { result }))
  })
  routes.post('/compare', async (c) => {
    try {
      return await compared(c)
    } catch (error) {
      if (wantsFragment(c)) throw error
      const problem = problemProps(error)
      return c.html(await page(c, { problem }), problem.status as 422)
    }
  })
  return routes

  async function compared(c: Context<AppEnv>): Promise<Response> {
    const { fields, ...image } = await readImageFields(home, { request: c.req.raw, isPage: true })
    const [a, b] = [requiredField(fields, 'a'), requiredField(fields, 'b')]
    const result = await compareVersions(home, { ...image, a, b })
    const address = links.compare({ left: result.a.id, right: result.b.id })
    if (!wantsFragment(c)) return seeOther(c, address)
    c.header('HX-Push-Url', address)
    const stored = [result.a.id, result.b.id].map((id) => getPrediction(home.db, id))
    return c.html(compareResult(await comparison(result, await Promise.all(stored))))
  }

  async function comparison(
    compared: Comparing,
    stored: readonly StoredPrediction[],
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

  async function page(c: Context<AppEnv>, shown: { result?: Comparison; problem?: ProblemProps }) {
    const earlier = queryText(c, 'prediction')
    const prediction = earlier === undefined ? undefined : await getPrediction(home.db, earlier)
    const { result } = shown
    return comparePage({
      frame: frameOf(c),
      choices: await listChoices(home),
      chosen: {
        condition: queryText(c, 'condition') ?? result?.a.condition,
        a: queryText(c, 'a') ?? result?.a.version,
        b: queryText(c, 'b') ?? result?.b.version,
        explain: queryText(c, 'explain'),
        prediction: prediction?.prediction,
      },
      examples: await exampleProps(home),
      limits: uploadLimits(home),
      ...shown,
    })
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
