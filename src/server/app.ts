// The web application: middleware in their order, then the routes of each noun. Listens to nothing by itself, so that the
// command line and tests call it in their own process.
import { type Context, Hono } from 'hono'
import { routePath } from 'hono/route'
import { AppError } from '../errors.ts'
import type { AppEnv } from './app-env.ts'
import { demonstrationNotice } from './demonstration.ts'
import type { Home } from './home.ts'
import { problemHandlers, wantsHtml } from './problem.ts'
import { activationRoutes } from './routes/activations.ts'
import { archiveRoutes } from './routes/archive.ts'
import { archivePages } from './routes/archive-pages.ts'
import { backupRoutes } from './routes/backup.ts'
import { batchRoutes } from './routes/batch.ts'
import { batchPages } from './routes/batch-pages.ts'
import { blindPages } from './routes/blind-pages.ts'
import { comparePages } from './routes/compare-pages.ts'
import { conditionPages } from './routes/condition-pages.ts'
import { conditionRoutes } from './routes/conditions.ts'
import { datasetPages } from './routes/dataset-pages.ts'
import { datasetRoutes } from './routes/datasets.ts'
import { diagnosePages } from './routes/diagnose-pages.ts'
import { dicomExportRoutes } from './routes/dicom-exports.ts'
import { governanceRoutes } from './routes/governance.ts'
import { healthRoutes } from './routes/health.ts'
import { imageRoutes } from './routes/images.ts'
import { inboxRoutes } from './routes/inbox.ts'
import { keyRoutes } from './routes/keys.ts'
import { modelComparisonRoutes } from './routes/model-comparisons.ts'
import { modelPages } from './routes/model-pages.ts'
import { notificationPages } from './routes/notification-pages.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { openapiRoutes } from './routes/openapi.ts'
import { pairedRoutes } from './routes/paired.ts'
import { pairedPages } from './routes/paired-pages.ts'
import { predictRoutes } from './routes/predict.ts'
import { predictionPages } from './routes/prediction-pages.ts'
import { predictionRoutes } from './routes/predictions.ts'
import { publicRoutes } from './routes/public.ts'
import { runRoutes } from './routes/runs.ts'
import { statusPages } from './routes/status-pages.ts'
import { trainingPages } from './routes/training-pages.ts'
import { versionRoutes } from './routes/versions.ts'
import { weightsRoutes } from './routes/weights.ts'
import { gatekeeper, responseHeaders } from './security.ts'

export interface AppOptions {
  /** The secret of data/server.json, which lets the command line act in its own name. */
  readonly token: string
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const WITHOUT_HOME = /^\/(healthz|readyz|metrics|public\/|favicon\.ico)/

export function createApp(home: Home, { token }: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })
  const { host, open, allowedHosts } = home.config
  const { onError, notFound } = problemHandlers({ log: home.log })
  app.onError(onError)
  app.notFound(async (c) => {
    const allowed = otherMethods(app, c)
    if (allowed.length === 0) return notFound(c)
    const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    const headers = { Allow: [...allow, 'OPTIONS'].join(', ') }
    if (c.req.method === 'OPTIONS') return c.body(null, 204, headers)
    const error = new AppError('method-not-allowed', methodWords(c.req.method, allowed))
    const response = await onError(error, c)
    response.headers.set('Allow', headers.Allow)
    return response
  })
  app.use(measured(home))
  app.use(responseHeaders())
  app.use(gatekeeper({ host, open, allowedHosts, token }))
  app.use(async (c, next) => {
    if (!WITHOUT_HOME.test(c.req.path)) {
      await home.waitUntilRecovered()
      if (wantsHtml(c.req.path, c.req.header('accept'))) {
        c.set('notice', await demonstrationNotice(home))
      }
    }
    await next()
  })
  const parts = [
    publicRoutes(),
    healthRoutes(home),
    openapiRoutes(),
    conditionRoutes(home),
    activationRoutes(home),
    governanceRoutes(home),
    backupRoutes(home),
    predictRoutes(home),
    batchRoutes(home),
    pairedRoutes(home),
    predictionRoutes(home),
    dicomExportRoutes(home),
    archiveRoutes(home),
    archivePages(home),
    versionRoutes(home),
    keyRoutes(home),
    inboxRoutes(home),
    notificationRoutes(home),
    imageRoutes(home),
    datasetRoutes(home),
    runRoutes(home),
    weightsRoutes(home),
    diagnosePages(home),
    batchPages(home),
    comparePages(home),
    blindPages(home),
    pairedPages(home),
    predictionPages(home),
    modelComparisonRoutes(home),
    modelPages(home),
    conditionPages(home),
    datasetPages(home),
    trainingPages(home),
    statusPages(home),
    notificationPages(home),
  ]
  for (const part of parts) app.route('/', part)
  return app
}

function measured(home: Home) {
  return async (c: Context<AppEnv>, next: () => Promise<void>): Promise<void> => {
    const started = performance.now()
    await next()
    const route = routePath(c, -1)
    const labels = { method: c.req.method, route, status: c.res.status }
    home.metrics.count('roentgen_http_requests_total', 'Requests answered.', labels)
    const ms = performance.now() - started
    home.log.debug(
      { method: c.req.method, route, status: c.res.status, ms: Math.round(ms) },
      'answered',
    )
  }
}

/** The methods that this path takes, when it is not the one that was used. */
function otherMethods(app: Hono<AppEnv>, c: Context<AppEnv>): string[] {
  return METHODS.filter((method) => {
    if (method === c.req.method) return false
    const [matches] = app.router.match(method, c.req.path)
    return matches.some(([[, route]]) => route.method !== 'ALL')
  })
}

function methodWords(method: string, allowed: readonly string[]): string {
  return `This address does not take ${method.slice(0, 20)}; it takes ${allowed.join(' and ')}.`
}
