// The compare page, its form, and the permanent address of a comparison: two predictions side by side.

import { type Context, Hono } from 'hono'
import { comparePage } from '../../../views/comparisons/form.ts'
import { type Comparison, compareResult } from '../../../views/comparisons/show.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import { comparePredictions, compareVersions } from '../../app/comparisons/compare-image.ts'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import { beginBlindReading } from '../../registry/paired/blind-readings.ts'
import { getPrediction } from '../../registry/predictions/predictions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf, readImageFields, requiredField } from '../http/image-fields.ts'
import {
  exampleProps,
  listChoices,
  problemProps,
  seeOther,
  uploadLimits,
} from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { queryText } from '../http/requests.ts'
import { comparisonProps } from './comparison-props.ts'

export function comparePages(
  services: Uses<
    'clock' | 'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'
  > & { readonly examples: ExampleGallery; readonly shadow: Shadow },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/compare', async (c) => {
    const [left, right] = [queryText(c, 'left'), queryText(c, 'right')]
    if (left === undefined || right === undefined) return c.html(await page(c, {}))
    const a = await getPrediction(services.db, left)
    const b = await getPrediction(services.db, right)
    const compared = comparePredictions(a.prediction, b.prediction)
    const result = await comparisonProps(services, { compared, stored: [a, b] })
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
    const { fields, ...image } = await readImageFields(services, {
      request: c.req.raw,
      isPage: true,
    })
    const [a, b] = [requiredField(fields, 'a'), requiredField(fields, 'b')]
    const result = await compareVersions(services, { ...image, a, b })
    if (fieldOf(fields, 'blind') !== undefined) {
      const id = await beginBlindReading(services.db, {
        a: result.a,
        b: result.b,
        clock: services.clock,
      })
      if (!wantsFragment(c)) return seeOther(c, links.blind(id))
      c.header('HX-Redirect', links.blind(id))
      return c.html('')
    }
    const address = links.compare({ left: result.a.id, right: result.b.id })
    if (!wantsFragment(c)) return seeOther(c, address)
    c.header('HX-Push-Url', address)
    const stored = await Promise.all(
      [result.a.id, result.b.id].map((id) => getPrediction(services.db, id)),
    )
    return c.html(compareResult(await comparisonProps(services, { compared: result, stored })))
  }

  async function page(c: Context<AppEnv>, shown: { result?: Comparison; problem?: ProblemProps }) {
    const earlier = queryText(c, 'prediction')
    const prediction = earlier === undefined ? undefined : await getPrediction(services.db, earlier)
    const { result } = shown
    return comparePage({
      frame: frameOf(c),
      choices: await listChoices(services),
      chosen: {
        condition: queryText(c, 'condition') ?? result?.a.condition,
        a: queryText(c, 'a') ?? result?.a.version,
        b: queryText(c, 'b') ?? result?.b.version,
        explain: queryText(c, 'explain'),
        isBlind: queryText(c, 'blind') !== undefined,
        prediction: prediction?.prediction,
      },
      examples: await exampleProps(services),
      limits: uploadLimits(services),
      ...shown,
    })
  }
}
