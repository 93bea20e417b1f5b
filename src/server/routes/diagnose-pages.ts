// The diagnose page and its form.
import { type Context, Hono } from 'hono'
import { diagnosePage } from '../../../views/diagnose.ts'
import type { ProblemProps } from '../../../views/error.ts'
import { links } from '../../../views/links.ts'
import { predictionResult } from '../../../views/prediction-result.ts'
import type { AppEnv } from '../app-env.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import { fieldOf, readImageFields } from '../image-fields.ts'
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
import { readWithVersion } from '../reading.ts'
import { queryText } from '../requests.ts'

export function diagnosePages(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/', async (c) => c.html(await page(c, {})))
  routes.post('/predictions', async (c) => {
    try {
      return await diagnosed(c)
    } catch (error) {
      if (wantsFragment(c)) throw error
      const problem = problemProps(error)
      return c.html(await page(c, { problem }), problem.status as 422)
    }
  })
  return routes

  async function diagnosed(c: Context<AppEnv>): Promise<Response> {
    const { fields, ...image } = await readImageFields(home, { request: c.req.raw, isPage: true })
    const version = fieldOf(fields, 'version')
    const { prediction } = await readWithVersion(home, { ...image, version })
    const address = links.prediction(prediction.id)
    if (!wantsFragment(c)) return seeOther(c, address)
    c.header('HX-Push-Url', address)
    return c.html(
      predictionResult({
        prediction,
        condition: await findConditionById(home, prediction.condition),
        version: await findVersionById(home, prediction.version),
        feedback: [],
        imageAvailable: true,
      }),
    )
  }

  async function page(c: Context<AppEnv>, { problem }: { problem?: ProblemProps }) {
    return diagnosePage({
      frame: { ...frameOf(c), ...(problem && { path: '/' }) },
      choices: await listChoices(home),
      chosen: {
        condition: queryText(c, 'condition'),
        version: queryText(c, 'version'),
        explain: queryText(c, 'explain'),
        operatingPoint: queryText(c, 'operatingPoint'),
      },
      examples: await exampleProps(home),
      limits: uploadLimits(home),
      ...(problem && { problem }),
    })
  }
}
