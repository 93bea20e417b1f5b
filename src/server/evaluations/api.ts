// /api/v1/versions/…/evaluate and …/evaluations: a version on labelled images from elsewhere.
import { Hono } from 'hono'
import { z } from 'zod'
import { type EvaluationLine, evaluateVersion } from '../../app/evaluations/evaluate-version.ts'
import { EVALUATION_SPLITS } from '../../app/evaluations/evaluation-images.ts'
import { asAppError, problemOf } from '../../app/problem.ts'
import type { Uses } from '../../app/services.ts'
import { getEvaluation, listEvaluations } from '../../registry/versions/evaluations.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { readJson, versionOfPath } from '../http/requests.ts'

export const EvaluateSchema = z.strictObject({
  /** A path below the data root, or the id of a dataset. */
  dataset: z.string().min(1).max(500),
  /** `test` of a prepared dataset and `all` of a plain folder, unless said otherwise. */
  split: z.enum(EVALUATION_SPLITS).optional(),
})

const ONE = '/api/v1/versions/:condition/:name/:n'

export function evaluationRoutes(
  services: Uses<'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()
  routes.post(`${ONE}/evaluate`, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    const wish = await readJson(c, EvaluateSchema)
    const signal = AbortSignal.any([c.req.raw.signal, services.leaving])
    const lines = evaluateVersion(services, { ...wish, version, actor: c.var.actor, signal })
    // The first line now, so that what cannot begin is refused with its status.
    const first = await lines.next()
    c.header('Content-Type', 'application/x-ndjson')
    return c.body(streamed(lines, first))
  })
  routes.get(`${ONE}/evaluations`, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    const items = await listEvaluations(db, version)
    return c.json({ items: items.map(({ report: _, ...rest }) => rest) })
  })
  routes.get(`${ONE}/evaluations/:id`, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    return c.json(await getEvaluation(db, { version, id: c.req.param('id') }))
  })
  return routes

  function streamed(
    lines: AsyncGenerator<EvaluationLine>,
    first: IteratorResult<EvaluationLine>,
  ): ReadableStream<Uint8Array> {
    let next: IteratorResult<EvaluationLine> | undefined = first
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { value, done } = next ?? (await lines.next())
          next = undefined
          if (done) controller.close()
          else controller.enqueue(Buffer.from(`${JSON.stringify(value)}\n`))
        } catch (error) {
          const known = asAppError(error)
          if (known.code === 'internal') services.log.error({ err: error }, 'an evaluation failed')
          controller.enqueue(Buffer.from(`${JSON.stringify({ problem: problemOf(known) })}\n`))
          controller.close()
        }
      },
      cancel: async () => void (await lines.return(undefined)),
    })
  }
}
