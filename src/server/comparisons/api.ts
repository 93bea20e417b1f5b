// /api/v1/conditions/:id/ab and /api/v1/versions/…/reread: two versions on many images, as lines of JSON with the summary
// last.
import { type Context, Hono } from 'hono'
import { imageSet } from '../../app/comparisons/paired-images.ts'
import {
  type PairedLine,
  predictFolder,
  repredict,
} from '../../app/comparisons/paired-predictions.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { pastPredictions } from '../../registry/predictions/past-predictions.ts'
import { versionOfCondition } from '../../registry/versions/aliases.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { conditionOfParams, versionOfParams } from '../http/requests.ts'
import { lines, operation } from '../operations/operation.ts'
import { ConditionParams, VersionParams } from '../operations/shared-schemas.ts'
import { AbSchema, PairedLineSchema, RereadSchema } from './schema.ts'

const DEFAULT_REREAD = 1000
const tag = 'predict'

export function pairedRoutes(
  services: Uses<'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/conditions/:id/ab',
      tag,
      summary:
        'Predict on a folder below the data root with two versions: a line an image, the summary last',
      params: ConditionParams,
      json: AbSchema,
      answers: { 200: lines(PairedLineSchema, 'Lines of JSON') },
      errors: [
        [404, 'unknown-condition, unknown-version, unknown-dataset'],
        [409, 'conflict: a version is deleted or quarantined'],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body: { a, b, folder, split } }) => {
      const condition = await getCondition(services.db, conditionOfParams(params))
      const versions = { a: await usable(condition.id, a), b: await usable(condition.id, b) }
      const { dir, images } = await imageSet(services, { condition, folder, split })
      const signal = AbortSignal.any([c.req.raw.signal, services.leaving])
      const work = { condition, signal, ...versions, dir, images }
      return streamed(c, predictFolder(services, work))
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/versions/:condition/:name/:n/reread',
      tag,
      summary:
        'Predict with another version on what this one predicted before: a line an image, the summary last',
      params: VersionParams,
      json: RereadSchema,
      answers: { 200: lines(PairedLineSchema, 'Lines of JSON') },
      errors: [
        [404, 'unknown-version'],
        [409, 'conflict: the version is deleted or quarantined'],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body: { with: other, limit = DEFAULT_REREAD } }) => {
      const before = await getVersion(services.db, versionOfParams(params))
      const condition = await getCondition(services.db, before.condition)
      const version = await usable(condition.id, other)
      const predictions = await pastPredictions(services.db, { version: before.id, limit })
      const signal = AbortSignal.any([c.req.raw.signal, services.leaving])
      return streamed(c, repredict(services, { condition, signal, version, predictions }))
    },
  )
  return routes

  async function usable(condition: string, id: string): Promise<Version> {
    const version = await getVersion(
      services.db,
      await versionOfCondition(services.db, { condition, text: id }),
    )
    if (version.status !== 'deleted' && version.status !== 'quarantined') return version
    throw new AppError('conflict', `${version.id} is ${version.status} and cannot be used.`)
  }
}

/** The next image is read while the answer is on its way. */
function streamed(c: Context<AppEnv>, predicted: AsyncGenerator<PairedLine>): Response {
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await predicted.next()
      if (done) controller.close()
      else controller.enqueue(Buffer.from(`${JSON.stringify(value)}\n`))
    },
    cancel: async () => void (await predicted.return(undefined)),
  })
  c.header('Content-Type', 'application/x-ndjson')
  return c.body(stream)
}
