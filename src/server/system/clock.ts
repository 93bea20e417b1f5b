// A person confirms the clock after it has jumped: what has had its time may leave again.
import { Hono } from 'hono'
import { links } from '../../../views/shared/links.ts'
import { leaveByTheClock } from '../../app/maintenance.ts'
import type { Uses } from '../../app/services.ts'
import { confirmClock } from '../../registry/home/clock-watch.ts'
import { listWarnings } from '../../registry/home/warnings.ts'
import type { AppEnv } from '../http/app-env.ts'
import { seeOther } from '../http/page-data.ts'
import { json, operation } from '../operations/operation.ts'
import { ClockConfirmedSchema } from './schema.ts'

export function clockRoutes(
  services: Uses<'clock' | 'config' | 'db' | 'jobs' | 'log' | 'store'>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/clock/confirm',
      tag: 'server',
      summary:
        'Say that the clock is right after it has jumped; what has had its time is forgotten again',
      answers: { 200: json(ClockConfirmedSchema, 'What still has to be looked at') },
    },
    async ({ reply }) => {
      await confirm()
      return reply(200, { warnings: listWarnings(services.db).map(({ sentence }) => sentence) })
    },
  )
  routes.post('/status/clock', async (c) => {
    await confirm()
    return seeOther(c, links.status)
  })
  return routes

  async function confirm(): Promise<void> {
    await confirmClock(services)
    await leaveByTheClock(services)
  }
}
