// The status page: readiness, hosts, how much there is, the machine; and the description of the API as a page.
import { availableParallelism, freemem, hostname, totalmem } from 'node:os'
import { Hono } from 'hono'
import { apiDocsPage } from '../../../views/system/api-docs.ts'
import { statusPage, statusPanel } from '../../../views/system/status.ts'
import { PRODUCT_VERSION } from '../../app/product.ts'
import type { Uses } from '../../app/services.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import { listWarnings } from '../../registry/home/warnings.ts'
import { countVersions } from '../../registry/versions/version-list.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { wantsFragment } from '../http/problem.ts'
import { apiDocument } from './api-document.ts'

const GIB = 1024 ** 3

export function systemPages(
  services: Uses<'config' | 'db' | 'inbox' | 'isReady' | 'reasons' | 'runtime'>,
  { described }: { readonly described: () => Hono<AppEnv> },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/status', async (c) => {
    const queue = services.runtime.queue()
    const hosts = services.runtime.status()
    const props = {
      frame: frameOf(c),
      readiness: { ready: services.isReady, reasons: services.reasons },
      warnings: listWarnings(services.db),
      hosts,
      inbox: services.inbox,
      counts: [
        { label: 'Conditions', value: (await listConditions(services.db)).length },
        { label: 'Versions', value: await countVersions(services.db) },
        { label: 'Inferences running', value: queue.running },
        { label: 'Requests waiting', value: queue.waiting },
      ],
      system: systemFacts(services),
      at: new Date().toISOString(),
    }
    return c.html(wantsFragment(c) ? statusPanel(props) : statusPage(props))
  })
  routes.get('/api/docs', async (c) =>
    c.html(apiDocsPage({ frame: frameOf(c), openapi: await apiDocument(described()) })),
  )
  return routes
}

function systemFacts(services: Uses<'config'>): { label: string; value: string }[] {
  const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`
  return [
    { label: 'Machine', value: hostname() },
    {
      label: 'Cores',
      value: `${availableParallelism()}, ${services.config.threads} for one inference`,
    },
    { label: 'Memory', value: `${gib(freemem())} free of ${gib(totalmem())}` },
    { label: 'Web process', value: gib(process.memoryUsage().rss) },
    { label: 'Running since', value: new Date(Date.now() - process.uptime() * 1000).toISOString() },
    { label: 'Roentgen', value: PRODUCT_VERSION },
    { label: 'Node', value: process.version },
  ]
}
