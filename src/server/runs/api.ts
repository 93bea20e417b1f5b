// /api/v1/runs: training runs, queued and watched.

import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { isMatrix } from '../../app/runs/run-request.ts'
import type { TrainingQueue } from '../../app/runs/training-queue.ts'
import type { Uses } from '../../app/services.ts'
import { listRunEvents } from '../../registry/runs/run-events.ts'
import { ENDED, RUN_STATES, type RunState } from '../../registry/runs/runs.ts'
import type { AppEnv } from '../http/app-env.ts'
import { queryChoice, queryLimit, queryText, readJson } from '../http/requests.ts'
import { NewRunSchema } from './schema.ts'

/** So that nobody between here and the page thinks that nothing comes any more. */
const HEARTBEAT_MS = 15_000

export function runRoutes(
  services: Uses<'db' | 'leaving'> & { readonly runs: TrainingQueue },
): Hono<AppEnv> {
  const { db, runs } = services
  const routes = new Hono<AppEnv>()
  routes.post('/api/v1/runs', async (c) => {
    const wishes = await readJson(c, NewRunSchema)
    const queued = await runs.add(wishes, c.var.actor)
    const [first] = queued
    if (isMatrix(wishes) || !first) {
      return c.json({ runs: queued, set: first?.lineage.set ?? null }, 202)
    }
    c.header('Location', `/api/v1/runs/${first.id}`)
    return c.json(first, 202)
  })
  routes.get('/api/v1/runs', async (c) => {
    const state = queryChoice(c, { name: 'state', of: RUN_STATES })
    const filter = { state, condition: queryText(c, 'condition'), set: queryText(c, 'set') }
    const page = { limit: queryLimit(c), cursor: queryText(c, 'cursor') }
    return c.json(await runs.list({ ...filter, ...page }))
  })
  routes.get('/api/v1/run-sets/:id', async (c) => c.json(await runs.set(c.req.param('id'))))
  routes.get('/api/v1/runs/:id', async (c) => c.json(await runs.get(c.req.param('id'))))
  routes.post('/api/v1/runs/:id/pause', async (c) => c.json(await runs.pause(c.req.param('id'))))
  routes.post('/api/v1/runs/:id/resume', async (c) => c.json(await runs.resume(c.req.param('id'))))
  routes.post('/api/v1/runs/:id/stop', async (c) =>
    c.json(await runs.stopAndKeepBest(c.req.param('id'))),
  )
  routes.post('/api/v1/runs/:id/cancel', async (c) => c.json(await runs.cancel(c.req.param('id'))))
  routes.get('/api/v1/runs/:id/events', async (c) => {
    const { id: run, state } = await runs.get(c.req.param('id'))
    const lastId = c.req.header('last-event-id') ?? queryText(c, 'lastEventId')
    const after = Number.parseInt(lastId ?? '0', 10) || 0
    // Tells a browser's EventSource not to come back.
    const isSeen = ENDED.includes(state) && (await listRunEvents(db, { run, after })).length === 0
    if (isSeen) return c.body(null, 204)
    return streamSSE(c, async (stream) => {
      const gone = new AbortController()
      stream.onAbort(() => gone.abort())
      const signal = AbortSignal.any([gone.signal, services.leaving])
      const beat = setInterval(() => void stream.write(': still here\n\n'), HEARTBEAT_MS)
      try {
        for await (const { id, type, data } of runs.feed.follow({ run, lastId, signal })) {
          await stream.writeSSE({ id, event: type, data: JSON.stringify(data) })
          if (type === 'state' && hasEnded(data)) break
        }
      } finally {
        clearInterval(beat)
      }
    })
  })
  return routes
}

function hasEnded(data: unknown): boolean {
  return ENDED.includes((data as { readonly state: RunState }).state)
}
