// /api/v1/conditions/:id/ab and /api/v1/versions/…/reread: two versions on many images, as lines of JSON with the summary
// last.
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { imageSet, SPLITS } from '../../app/comparisons/paired-images.ts'
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
import { conditionOfPath, readJson, versionOfPath } from '../http/requests.ts'

export const AbSchema = z.strictObject({
  a: z.string(),
  b: z.string(),
  /** Below the data root; class folders or a label table say what the images show. */
  folder: z.string(),
  /** Of a prepared dataset `test` unless said otherwise; of a plain folder, where it has such folders, `all`. */
  split: z.enum(SPLITS).optional(),
})

export const RereadSchema = z.strictObject({
  /** The version to predict with. */
  with: z.string(),
  /** The newest so many. */
  limit: z.int().min(1).max(100_000).optional(),
})

const DEFAULT_REREAD = 1000

export function pairedRoutes(
  services: Uses<'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.post('/api/v1/conditions/:id/ab', async (c) => {
    const condition = await getCondition(services.db, conditionOfPath(c))
    const { a, b, folder, split } = await readJson(c, AbSchema)
    const versions = { a: await usable(condition.id, a), b: await usable(condition.id, b) }
    const { dir, images } = await imageSet(services, { condition, folder, split })
    const job = {
      condition,
      signal: AbortSignal.any([c.req.raw.signal, services.leaving]),
      ...versions,
      dir,
      images,
    }
    return streamed(c, predictFolder(services, job))
  })
  routes.post('/api/v1/versions/:condition/:name/:n/reread', async (c) => {
    const before = await getVersion(services.db, versionOfPath(c))
    const { with: other, limit = DEFAULT_REREAD } = await readJson(c, RereadSchema)
    const condition = await getCondition(services.db, before.condition)
    const version = await usable(condition.id, other)
    const predictions = await pastPredictions(services.db, { version: before.id, limit })
    const job = {
      condition,
      signal: AbortSignal.any([c.req.raw.signal, services.leaving]),
      version,
      predictions,
    }
    return streamed(c, repredict(services, job))
  })
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
function streamed(c: Context<AppEnv>, lines: AsyncGenerator<PairedLine>): Response {
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await lines.next()
      if (done) controller.close()
      else controller.enqueue(Buffer.from(`${JSON.stringify(value)}\n`))
    },
    cancel: async () => void (await lines.return(undefined)),
  })
  c.header('Content-Type', 'application/x-ndjson')
  return c.body(stream)
}
