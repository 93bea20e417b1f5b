// The page of all work in the background: what runs, what waits, how it ended; what can be cancelled is cancelled here.
import { Hono } from 'hono'
import { type JobsProps, jobsPage, jobsPanel } from '../../../views/jobs/list.ts'
import { links } from '../../../views/shared/links.ts'
import type { Uses } from '../../app/services.ts'
import { JOB_STATES } from '../../registry/jobs/job-store.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { seeOther } from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { queryChoice, queryText } from '../http/requests.ts'
import { jobJson } from './job-json.ts'

const PER_PAGE = 50

export function jobPages({ jobs }: Uses<'jobs'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/status/jobs', async (c) => {
    const kind = queryChoice(c, { name: 'kind', of: jobs.kinds.names })
    const state = queryChoice(c, { name: 'state', of: JOB_STATES })
    const cursor = queryText(c, 'cursor')
    const { items, nextCursor } = await jobs.list({ kind, state, cursor, limit: PER_PAGE })
    const props: JobsProps = {
      frame: frameOf(c),
      kinds: jobs.kinds.all.map(({ name, title }) => ({ name, title })),
      states: JOB_STATES,
      chosen: { kind, state },
      jobs: items.map((job) => jobJson(jobs, job)),
      cursor,
      next: nextCursor,
    }
    return c.html(wantsFragment(c) ? jobsPanel(props) : jobsPage(props))
  })
  routes.post('/status/jobs/:id/cancel', async (c) => {
    await jobs.cancel(c.req.param('id'))
    return seeOther(c, links.jobs())
  })
  return routes
}
