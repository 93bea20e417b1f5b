// The diagnose page and its form.

import { type Context, Hono } from 'hono'
import { diagnosePage } from '../../../views/predictions/form.ts'
import { predictionResult } from '../../../views/predictions/result.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import { predictImage } from '../../app/diagnosis/predict-image.ts'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf, readImageFields } from '../http/image-fields.ts'
import {
  exampleProps,
  findConditionById,
  findVersionById,
  listChoices,
  problemProps,
  seeOther,
  uploadLimits,
} from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { queryText } from '../http/requests.ts'

export function diagnosePages(
  services: Uses<'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'> & {
    readonly examples: ExampleGallery
    readonly shadow: Shadow
  },
): Hono<AppEnv> {
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
    const { fields, ...image } = await readImageFields(services, {
      request: c.req.raw,
      isPage: true,
    })
    const version = fieldOf(fields, 'version')
    const prediction = await predictImage(services, { ...image, version })
    const address = links.prediction(prediction.id)
    if (!wantsFragment(c)) return seeOther(c, address)
    c.header('HX-Push-Url', address)
    return c.html(
      predictionResult({
        prediction,
        condition: await findConditionById(services, prediction.condition),
        version: await findVersionById(services, prediction.version),
        feedback: [],
        imageAvailable: true,
      }),
    )
  }

  async function page(c: Context<AppEnv>, { problem }: { problem?: ProblemProps }) {
    return diagnosePage({
      frame: { ...frameOf(c), ...(problem && { path: '/' }) },
      choices: await listChoices(services),
      chosen: {
        condition: queryText(c, 'condition'),
        version: queryText(c, 'version'),
        explain: queryText(c, 'explain'),
        operatingPoint: queryText(c, 'operatingPoint'),
      },
      examples: await exampleProps(services),
      limits: uploadLimits(services),
      ...(problem && { problem }),
    })
  }
}
