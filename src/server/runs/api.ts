// /api/v1/runs: training runs, queued and watched.

import { Hono } from 'hono'
import { isMatrix } from '../../app/runs/run-request.ts'
import type { TrainingQueue } from '../../app/runs/training-queue.ts'
import type { Uses } from '../../app/services.ts'
import { ENDED } from '../../registry/runs/runs.ts'
import type { RunState } from '../../registry/schema/states.ts'
import type { AppEnv } from '../http/app-env.ts'
import { eventStream, lastEventId, type StreamedEvent } from '../http/event-stream.ts'
import { bytes, json, operation } from '../operations/operation.ts'
import { IdParams } from '../operations/shared-schemas.ts'
import {
  NewRunSchema,
  QueuedSchema,
  RunEventsQuery,
  RunPageSchema,
  RunQuery,
  RunSchema,
  RunSetSchema,
} from './schema.ts'

const tag = 'training'
const unknown = [404, 'unknown-run'] as const

export function runRoutes(
  services: Uses<'jobs' | 'leaving'> & { readonly runs: TrainingQueue },
): Hono<AppEnv> {
  const { jobs, leaving, runs } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/runs',
      tag,
      summary: 'Queue a training, or with lists a matrix of them',
      description:
        'Any of dataset, architecture and preset as a list is a matrix and answers {runs: [Run], set}, else the answer is the ' +
        'Run. Without a condition each dataset trains for the one that it was prepared for.',
      json: NewRunSchema,
      answers: { 202: json(QueuedSchema, 'Queued') },
      errors: [
        [404, 'unknown-condition, unknown-dataset, unknown-version'],
        [409, 'dataset-not-prepared'],
        [422, 'invalid'],
        [503, 'unavailable: not enough disk or memory'],
      ],
    },
    async ({ c, body, reply }) => {
      const queued = await runs.add(body, c.var.actor)
      const [first] = queued
      if (isMatrix(body) || !first) {
        return reply(202, { runs: queued, set: (first?.lineage.set as string) ?? null })
      }
      c.header('Location', `/api/v1/runs/${first.id}`)
      return reply(202, first)
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/runs',
      tag,
      summary: 'Runs, newest first',
      query: RunQuery,
      answers: { 200: json(RunPageSchema, 'A page') },
      errors: [[422, 'invalid']],
    },
    async ({ query, reply }) => reply(200, await runs.list(query)),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/run-sets/:id',
      tag,
      summary: 'A matrix of runs: how far, how long it will take, seconds of each phase',
      params: IdParams,
      answers: { 200: json(RunSetSchema, 'In the order of the queue') },
      errors: [unknown],
    },
    async ({ params: { id }, reply }) => reply(200, await runs.set(id)),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/runs/:id',
      tag,
      summary: 'One run: state, reason, progress, resulting version',
      params: IdParams,
      answers: { 200: json(RunSchema, 'The run as it is now') },
      errors: [unknown],
    },
    async ({ params: { id }, reply }) => reply(200, await runs.get(id)),
  )
  const changes = [
    {
      path: '/api/v1/runs/:id/pause',
      summary: 'Wait after the running batch; hold back a run that is queued',
      change: (id: string) => runs.pause(id),
    },
    {
      path: '/api/v1/runs/:id/resume',
      summary: 'Resume: at once when paused, from the last checkpoint when interrupted',
      change: (id: string) => runs.resume(id),
    },
    {
      path: '/api/v1/runs/:id/stop',
      summary: 'End after the running batch and keep the best epoch as a version',
      change: (id: string) => runs.stopAndKeepBest(id),
    },
    {
      path: '/api/v1/runs/:id/cancel',
      summary: 'End now and keep nothing',
      change: (id: string) => runs.cancel(id),
    },
  ]
  for (const { path, summary, change } of changes) {
    operation(
      routes,
      {
        method: 'post',
        path,
        tag,
        summary,
        params: IdParams,
        answers: { 200: json(RunSchema, 'The run as it is now') },
        errors: [unknown, [409, 'conflict: not in this state']],
      },
      async ({ params: { id }, reply }) => reply(200, await change(id)),
    )
  }
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/runs/:id/events',
      tag,
      summary: 'Server-sent events: state, epoch, batch, log',
      description:
        'Sends what happened so far, then what comes, and ends with the run. With Last-Event-ID it continues after that ' +
        'event, after a restart of the server too; batches are only sent while they happen. 204 when nothing is left.',
      params: IdParams,
      query: RunEventsQuery,
      answers: {
        200: bytes('text/event-stream', 'The events'),
        204: { description: 'The run has ended and every event was seen' },
      },
      errors: [unknown],
    },
    async ({ c, params: { id }, reply }) => {
      const { id: run, state } = await runs.get(id)
      const lastId = lastEventId(c)
      // Tells a browser's EventSource not to come back.
      const isSeen =
        ENDED.includes(state) && (await jobs.feed.unseen({ job: run, lastId })).length === 0
      if (isSeen) return reply(204)
      return eventStream(c, {
        leaving,
        events: (signal) => runs.follow({ run, lastId, signal }),
        isLast: ({ type, data }: StreamedEvent) => type === 'state' && hasEnded(data),
      })
    },
  )
  return routes
}

function hasEnded(data: unknown): boolean {
  return ENDED.includes((data as { readonly state: RunState }).state)
}
