// The status page: readiness, hosts, how much there is, the machine.
import { availableParallelism, freemem, hostname, totalmem } from 'node:os'
import { Hono } from 'hono'
import { statusPage, statusPanel } from '../../../views/status.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import { countVersions } from '../../registry/versions/version-list.ts'
import type { AppEnv } from '../app-env.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import { wantsFragment } from '../problem.ts'
import { PRODUCT_VERSION } from '../product.ts'

const GIB = 1024 ** 3

export function statusPages(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/status', async (c) => {
    const queue = home.runtime.queue()
    const hosts = home.runtime.status()
    const props = {
      frame: frameOf(c),
      readiness: { ready: home.isReady, reasons: home.reasons },
      hosts,
      inbox: home.inbox,
      counts: [
        { label: 'Conditions', value: (await listConditions(home.db)).length },
        { label: 'Versions', value: await countVersions(home.db) },
        { label: 'Inferences running', value: queue.running },
        { label: 'Requests waiting', value: queue.waiting },
      ],
      system: systemFacts(home),
      at: new Date().toISOString(),
    }
    return c.html(wantsFragment(c) ? statusPanel(props) : statusPage(props))
  })
  return routes
}

function systemFacts(home: Home): { label: string; value: string }[] {
  const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`
  return [
    { label: 'Machine', value: hostname() },
    {
      label: 'Cores',
      value: `${availableParallelism()}, ${home.config.threads} for one inference`,
    },
    { label: 'Memory', value: `${gib(freemem())} free of ${gib(totalmem())}` },
    { label: 'Web process', value: gib(process.memoryUsage().rss) },
    { label: 'Running since', value: new Date(Date.now() - process.uptime() * 1000).toISOString() },
    { label: 'Roentgen', value: PRODUCT_VERSION },
    { label: 'Node', value: process.version },
  ]
}
