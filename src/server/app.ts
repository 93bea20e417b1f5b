// The web application: middleware in their order, then the routes of each noun. Listens to nothing by itself, so that the
// command line and tests call it in their own process.
import { availableParallelism } from 'node:os'
import { type Context, Hono } from 'hono'
import { routePath } from 'hono/route'
import type { Application } from '../app/application.ts'
import type { ArrivingPlace } from '../app/arriving-file.ts'
import { demonstrationNotice } from '../app/demonstration.ts'
import { UploadBudget } from '../app/upload-budget.ts'
import { AppError } from '../errors.ts'
import { batchRoutes } from './batches/api.ts'
import { batchPages } from './batches/pages.ts'
import { pairedRoutes } from './comparisons/api.ts'
import { blindPages } from './comparisons/blind-pages.ts'
import { comparePages } from './comparisons/pages.ts'
import { pairedPages } from './comparisons/paired-pages.ts'
import { activationRoutes } from './conditions/activations.ts'
import { conditionRoutes } from './conditions/api.ts'
import { governanceRoutes } from './conditions/governance.ts'
import { conditionPages } from './conditions/pages.ts'
import { datasetRoutes } from './datasets/api.ts'
import { datasetPages } from './datasets/pages.ts'
import { archiveRoutes } from './dicom/api.ts'
import { dicomExportRoutes } from './dicom/exports.ts'
import { archivePages } from './dicom/pages.ts'
import type { AppEnv } from './http/app-env.ts'
import { linksBelow, pathBelow } from './http/base-path.ts'
import { problemHandlers, wantsHtml } from './http/problem.ts'
import { proxyList } from './http/proxies.ts'
import { gatekeeper, responseHeaders } from './http/security.ts'
import { uploadScope } from './http/upload-scope.ts'
import { COSTLY_PATHS, costly, headWithoutBody, WorkLimit } from './http/work-limit.ts'
import { jobRoutes } from './jobs/api.ts'
import { jobPages } from './jobs/pages.ts'
import { keyRoutes } from './keys/api.ts'
import { notificationRoutes } from './notifications/api.ts'
import { notificationPages } from './notifications/pages.ts'
import { predictionRoutes } from './predictions/api.ts'
import { diagnosePages } from './predictions/diagnose-pages.ts'
import { imageRoutes } from './predictions/images.ts'
import { predictionPages } from './predictions/pages.ts'
import { predictRoutes } from './predictions/predict.ts'
import { runRoutes } from './runs/api.ts'
import { trainingPages } from './runs/pages.ts'
import { weightsRoutes } from './runs/weights.ts'
import { systemRoutes } from './system/api.ts'
import { clockRoutes } from './system/clock.ts'
import { systemPages } from './system/pages.ts'
import { publicRoutes } from './system/public.ts'
import { versionRoutes } from './versions/api.ts'
import { modelComparisonRoutes } from './versions/comparison.ts'
import { inboxRoutes } from './versions/inbox.ts'
import { modelPages } from './versions/pages.ts'

export interface AppOptions {
  /** The secret of data/server.json, which lets the command line act in its own name. */
  readonly token: string
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const WITHOUT_REGISTRY = /^\/(healthz|readyz|metrics|public\/|favicon\.ico)/

export function createApp(application: Application, { token }: AppOptions): Hono<AppEnv> {
  const { host, open, allowedHosts, trustedProxies, basePath } = application.config
  const app = new Hono<AppEnv>({ getPath: pathBelow(basePath) })
  const { onError, notFound } = problemHandlers({ log: application.log })
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
  app.use(measured(application))
  app.use(responseHeaders())
  app.use(headWithoutBody())
  app.use(linksBelow(basePath))
  const proxies = proxyList(trustedProxies)
  app.use(gatekeeper({ host, open, allowedHosts, token, proxies }))
  const limit = new WorkLimit({ maxRunning: Math.max(2, availableParallelism()), maxWaiting: 64 })
  for (const path of COSTLY_PATHS) app.use(path, costly(limit))
  app.use(uploadScope(uploadPlace(application)))
  app.use(async (c, next) => {
    if (!WITHOUT_REGISTRY.test(c.req.path)) {
      await application.waitUntilRecovered()
      if (wantsHtml(c.req.path, c.req.header('accept'))) {
        c.set('notice', await demonstrationNotice(application))
      }
    }
    await next()
  })
  const parts = [
    publicRoutes(),
    systemRoutes(application, { described: () => app }),
    clockRoutes(application),
    conditionRoutes(application),
    activationRoutes(application),
    governanceRoutes(application),
    predictRoutes(application),
    batchRoutes(application),
    pairedRoutes(application),
    predictionRoutes(application),
    dicomExportRoutes(application),
    archiveRoutes(application),
    archivePages(application),
    versionRoutes(application),
    keyRoutes(application),
    jobRoutes(application),
    inboxRoutes(application),
    notificationRoutes(application),
    imageRoutes(application),
    datasetRoutes(application),
    runRoutes(application),
    weightsRoutes(application),
    diagnosePages(application),
    batchPages(application),
    comparePages(application),
    blindPages(application),
    pairedPages(application),
    predictionPages(application),
    modelComparisonRoutes(application),
    modelPages(application),
    conditionPages(application),
    datasetPages(application),
    trainingPages(application),
    systemPages(application, { described: () => app }),
    jobPages(application),
    notificationPages(application),
  ]
  for (const part of parts) app.route('/', part)
  return app
}

/** One import or image always fits. */
function uploadPlace({ config, store }: Application): ArrivingPlace {
  const { maxUploadsBytes, maxUploadBytes, maxImportBytes, maxUploadMemoryBytes } = config
  const maxBytes = Math.max(maxUploadsBytes, maxUploadBytes, maxImportBytes) + 1
  const budget = new UploadBudget({ maxBytes, maxMemoryBytes: maxUploadMemoryBytes })
  return { budget, dir: store.stagingDir }
}

function measured(application: Application) {
  return async (c: Context<AppEnv>, next: () => Promise<void>): Promise<void> => {
    const started = performance.now()
    await next()
    const route = routePath(c, -1)
    const labels = { method: c.req.method, route, status: c.res.status }
    application.metrics.count('roentgen_http_requests_total', 'Requests served.', labels)
    const ms = performance.now() - started
    application.log.debug(
      { method: c.req.method, route, status: c.res.status, ms: Math.round(ms) },
      'answered',
    )
  }
}

/** The methods that this path takes, when it is not the one that was used. A path that is one by itself is no `:id`. */
function otherMethods(app: Hono<AppEnv>, c: Context<AppEnv>): string[] {
  const found = METHODS.filter((method) => method !== c.req.method).flatMap((method) => {
    const [matches] = app.router.match(method, c.req.path)
    const own = matches.find(([[, route]]) => route.method !== 'ALL')
    return own ? [{ method, path: own[0][1].path }] : []
  })
  const literal = found.filter(({ path }) => !path.includes(':'))
  return (literal.length > 0 ? literal : found).map(({ method }) => method)
}

function methodWords(method: string, allowed: readonly string[]): string {
  return `This address does not accept ${method.slice(0, 20)}; it accepts ${allowed.join(' and ')}.`
}
