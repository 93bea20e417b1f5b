// Where the uploads of a request go, and what is undone when it has been answered. Known by the request itself, so that
// whoever reads a form need not be told.
import type { MiddlewareHandler } from 'hono'
import type { ArrivingPlace } from '../../app/arriving-file.ts'
import type { AppEnv } from './app-env.ts'

export interface UploadScope extends ArrivingPlace {
  /** Done once the answer is made; not waited for by the answer. */
  onAnswered(work: () => Promise<void>): void
}

const scopes = new WeakMap<Request, UploadScope>()

export function uploadScope(place: ArrivingPlace): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const works: (() => Promise<void>)[] = []
    scopes.set(c.req.raw, { ...place, onAnswered: (work) => void works.push(work) })
    try {
      await next()
    } finally {
      for (const work of works) await work()
    }
  }
}

/** Undefined for a request that came around the server. */
export function findUploadScope(request: Request): UploadScope | undefined {
  return scopes.get(request)
}
