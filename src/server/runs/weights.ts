// /api/v1/weights: pretrained weights that trainings can start from. Putting them there is `roentgen weights`.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { fetchable } from '../../conversion/pretrained/published-files.ts'
import { listWeights } from '../../conversion/pretrained/weights-store.ts'
import type { AppEnv } from '../http/app-env.ts'
import { json, operation } from '../operations/operation.ts'
import { WeightsListSchema } from './schema.ts'

export function weightsRoutes({ store }: Uses<'store'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/weights',
      tag: 'training',
      summary: 'Pretrained weights that runs can start from, and what can be fetched',
      description:
        'A run names them as hyperparameter "weights": "imagenet" for those of its architecture, or a name of this list.',
      answers: { 200: json(WeightsListSchema, 'By name') },
    },
    async ({ reply }) => {
      const items = (await listWeights(store.dataDir)).map(({ file: _, ...weights }) => weights)
      const published = fetchable().map(({ key, title, architecture }) => ({
        key,
        title,
        architecture,
      }))
      return reply(200, { items, nextCursor: null, fetchable: published })
    },
  )
  return routes
}
