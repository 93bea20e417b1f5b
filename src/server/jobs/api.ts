// /api/v1/jobs: all work in the background, whatever its kind.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { JOB_STATES } from '../../registry/jobs/job-store.ts'
import type { AppEnv } from '../http/app-env.ts'
import { eventStream, lastEventId, type StreamedEvent } from '../http/event-stream.ts'
import { queryChoice, queryLimit, queryText } from '../http/requests.ts'
import { isEnd, jobJson } from './job-json.ts'

export function jobRoutes({ jobs, leaving }: Uses<'jobs' | 'leaving'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/jobs', async (c) => {
    const kind = queryChoice(c, { name: 'kind', of: jobs.kinds.names })
    const state = queryChoice(c, { name: 'state', of: JOB_STATES })
    const page = { limit: queryLimit(c), cursor: queryText(c, 'cursor') }
    const { items, nextCursor } = await jobs.list({ kind, state, ...page })
    return c.json({ items: items.map((job) => jobJson(jobs, job)), nextCursor })
  })
  routes.get('/api/v1/jobs/:id', async (c) =>
    c.json(jobJson(jobs, await jobs.get(c.req.param('id')))),
  )
  routes.post('/api/v1/jobs/:id/cancel', async (c) =>
    c.json(jobJson(jobs, await jobs.cancel(c.req.param('id')))),
  )
  routes.get('/api/v1/jobs/:id/events', async (c) => {
    const job = await jobs.get(c.req.param('id'))
    const lastId = lastEventId(c)
    // Tells a browser's EventSource not to come back.
    const isSeen =
      job.endedAt !== null && (await jobs.feed.unseen({ job: job.id, lastId })).length === 0
    if (isSeen) return c.body(null, 204)
    return eventStream(c, {
      leaving,
      events: (signal) => jobs.feed.follow({ job: job.id, lastId, signal }),
      isLast: ({ type, data }: StreamedEvent) => type === 'state' && isEnd(data),
    })
  })
  return routes
}
