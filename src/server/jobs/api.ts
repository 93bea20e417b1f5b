// /api/v1/jobs: all work in the background, whatever its kind.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'
import { eventStream, lastEventId, type StreamedEvent } from '../http/event-stream.ts'
import { bytes, json, operation } from '../operations/operation.ts'
import { choiceOf, IdParams } from '../operations/shared-schemas.ts'
import { isEnd, jobJson } from './job-json.ts'
import { JobEventsQuery, JobPageSchema, JobQuery, JobSchema } from './schema.ts'

const tag = 'jobs'
const params = IdParams
const unknown = [404, 'unknown-job'] as const

export function jobRoutes({ jobs, leaving }: Uses<'jobs' | 'leaving'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/jobs',
      tag,
      summary: 'Work in the background of every kind, newest first',
      query: JobQuery.extend({ kind: choiceOf(jobs.kinds.names).optional() }),
      answers: { 200: json(JobPageSchema, 'A page of jobs') },
      errors: [[422, 'invalid']],
    },
    async ({ query, reply }) => {
      const { items, nextCursor } = await jobs.list(query)
      return reply(200, { items: items.map((job) => jobJson(jobs, job)), nextCursor })
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/jobs/:id',
      tag,
      summary: 'One job as it is now',
      params,
      answers: { 200: json(JobSchema, 'The job') },
      errors: [unknown],
    },
    async ({ params: { id }, reply }) => reply(200, jobJson(jobs, await jobs.get(id))),
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/jobs/:id/cancel',
      tag,
      summary: 'End it now; what it had kept stays',
      params,
      answers: { 200: json(JobSchema, 'The job, cancelled') },
      errors: [unknown, [409, 'conflict']],
    },
    async ({ params: { id }, reply }) => reply(200, jobJson(jobs, await jobs.cancel(id))),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/jobs/:id/events',
      tag,
      summary: 'Its events as they happen',
      description:
        'Server-sent events `state` and `log`, and what the kind adds, each with an id for Last-Event-ID: what was kept ' +
        'since comes first, none twice and none lost. `progress` is sent as it changes and is not kept. 204 when the job ' +
        'has ended and all was seen.',
      params,
      query: JobEventsQuery,
      answers: {
        200: bytes('text/event-stream', 'Server-sent events'),
        204: { description: 'All was seen' },
      },
      errors: [unknown],
    },
    async ({ c, params: { id }, reply }) => {
      const job = await jobs.get(id)
      const lastId = lastEventId(c)
      // Tells a browser's EventSource not to come back.
      const isSeen =
        job.endedAt !== null && (await jobs.feed.unseen({ job: job.id, lastId })).length === 0
      if (isSeen) return reply(204)
      return eventStream(c, {
        leaving,
        events: (signal) => jobs.feed.follow({ job: job.id, lastId, signal }),
        isLast: ({ type, data }: StreamedEvent) => type === 'state' && isEnd(data),
      })
    },
  )
  return routes
}
