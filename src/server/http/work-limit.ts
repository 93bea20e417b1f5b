// Answers that cost much to make: so many at a time, few that wait, and for the others 503 at once. HEAD never makes one.
import type { MiddlewareHandler } from 'hono'
import { AppError } from '../../errors.ts'
import type { AppEnv } from './app-env.ts'

/** Drawings, reports, comparisons and exports that are made when somebody asks. */
export const COSTLY_PATHS = [
  '/api/v1/backup',
  '/api/v1/versions/:condition/:name/:n/export',
  '/api/v1/versions/:condition/:name/:n/plots/:file',
  '/api/v1/comparisons',
  '/api/v1/comparisons/export',
  '/models/compare',
  '/api/v1/predictions/:id/heatmap.png',
  '/api/v1/predictions/:id/report.pdf',
  '/api/v1/predictions/:id/secondary-capture.dcm',
  '/api/v1/predictions/:id/structured-report.dcm',
  '/ab/:id/table.csv',
  '/ab/:id/images/:n',
  '/batch/:id/results.csv',
] as const

export interface WorkLimitOptions {
  readonly maxRunning: number
  readonly maxWaiting: number
}

export class WorkLimit {
  readonly #options: WorkLimitOptions
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: WorkLimitOptions) {
    this.#options = options
  }

  get usage(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running, waiting: this.#waiting.length }
  }

  /** Resolves to what ends it. @throws AppError `busy` */
  async enter(): Promise<() => void> {
    if (this.#running >= this.#options.maxRunning) {
      if (this.#waiting.length >= this.#options.maxWaiting) {
        const sentence =
          'Several drawings, reports or exports are being made; try again in a moment.'
        throw new AppError('busy', sentence, { retryAfterSeconds: 3 })
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    let isDone = false
    return () => {
      if (isDone) return
      isDone = true
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}

/** Held until the answer has been sent, or its reader has gone. */
export function costly(limit: WorkLimit): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const method = c.req.raw.method
    if (method === 'HEAD') return c.body(null, 200)
    if (method !== 'GET') return next()
    const leave = await limit.enter()
    try {
      // Who left while he waited is not worked for.
      c.req.raw.signal.throwIfAborted()
      await next()
    } catch (error) {
      leave()
      throw error
    }
    if (!isStreamed(c.res)) return leave()
    c.res = new Response(watched(c.res.body as ReadableStream<Uint8Array>, leave), c.res)
  }
}

function isStreamed(response: Response): boolean {
  return response.ok && /zip/.test(response.headers.get('content-type') ?? '')
}

function watched(body: ReadableStream<Uint8Array>, ended: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        ended()
        controller.close()
      } catch (error) {
        ended()
        controller.error(error)
      }
    },
    async cancel(reason) {
      ended()
      await reader.cancel(reason)
    },
  })
}

/** What a HEAD request would have streamed is let go, so that nothing goes on being made for nobody. */
export function headWithoutBody(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next()
    if (c.req.raw.method !== 'HEAD' || !c.res.body) return
    await c.res.body.cancel()
    c.res = new Response(null, { status: c.res.status, headers: c.res.headers })
  }
}
