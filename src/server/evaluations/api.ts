// /api/v1/versions/…/evaluate and …/evaluations: a version on labelled images from elsewhere.
import { Hono } from 'hono'
import {
  type Evaluation,
  type EvaluationLine,
  evaluateVersion,
} from '../../app/evaluations/evaluate-version.ts'
import { asAppError, problemOf } from '../../app/problem.ts'
import type { Uses } from '../../app/services.ts'
import { getEvaluation, listEvaluations } from '../../registry/versions/evaluations.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { versionOfParams } from '../http/requests.ts'
import { json, lines, operation } from '../operations/operation.ts'
import { VersionParams } from '../operations/shared-schemas.ts'
import {
  EvaluateSchema,
  EvaluationLineSchema,
  EvaluationListSchema,
  EvaluationParams,
  EvaluationSchema,
} from './schema.ts'

const tag = 'versions'
const ONE = '/api/v1/versions/:condition/:name/:n'

export function evaluationRoutes(
  services: Uses<'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'post',
      path: `${ONE}/evaluate`,
      tag,
      summary: 'Evaluate a version on labelled images, and keep the result beside it',
      description:
        'Lines of JSON: how far it is for each image, one for each image that cannot be read, and last the evaluation, or a ' +
        'problem when there is none. A version without figures of its own can be activated after an evaluation on at least 20 ' +
        'images of both kinds; two versions that were evaluated on the same images are compared by the gate.',
      params: VersionParams,
      json: EvaluateSchema,
      answers: { 200: lines(EvaluationLineSchema, 'Lines of JSON') },
      errors: [
        [404, 'unknown-version, unknown-dataset'],
        [409, 'conflict: it cannot predict, or there is no image with its labels'],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body }) => {
      const version = await getVersion(db, versionOfParams(params))
      const signal = AbortSignal.any([c.req.raw.signal, services.leaving])
      const evaluated = evaluateVersion(services, {
        ...body,
        version,
        actor: c.var.actor,
        signal,
      })
      // The first line now, so that what cannot begin is refused with its status.
      const first = await evaluated.next()
      c.header('Content-Type', 'application/x-ndjson')
      return c.body(streamed(evaluated, first))
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: `${ONE}/evaluations`,
      tag,
      summary: 'Evaluations of a version, newest first',
      params: VersionParams,
      answers: { 200: json(EvaluationListSchema, 'All of them') },
      errors: [[404, 'unknown-version']],
    },
    async ({ params, reply }) => {
      const version = await getVersion(db, versionOfParams(params))
      const items = await listEvaluations(db, version)
      return reply(200, { items: items.map(({ report: _, ...rest }) => rest) })
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: `${ONE}/evaluations/:id`,
      tag,
      summary: 'One evaluation whole: figures with intervals, curves, warnings',
      params: EvaluationParams,
      answers: { 200: json(EvaluationSchema, 'The evaluation') },
      errors: [[404, 'unknown-version, not-found']],
    },
    async ({ params: { id, ...params }, reply }) => {
      const version = await getVersion(db, versionOfParams(params))
      return reply(200, (await getEvaluation(db, { version, id })) as Evaluation)
    },
  )
  return routes

  function streamed(
    evaluated: AsyncGenerator<EvaluationLine>,
    first: IteratorResult<EvaluationLine>,
  ): ReadableStream<Uint8Array> {
    let next: IteratorResult<EvaluationLine> | undefined = first
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { value, done } = next ?? (await evaluated.next())
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
      cancel: async () => void (await evaluated.return(undefined)),
    })
  }
}
