// The one place where an error becomes an answer: an RFC 9457 problem document for programs, and for a page request a
// page or fragment with the same words. Nothing that was not written for a person leaves this file: no stack, no path.
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { errorPage, problemNotice } from '../../../views/shared/error.ts'
import type { Log } from '../../app/log.ts'
import { asAppError, type Problem, problemOf } from '../../app/problem.ts'
import { AppError, messageOf } from '../../errors.ts'
import type { AppEnv } from './app-env.ts'
import { frameOf } from './frame.ts'

/** What the error pages are drawn with; the views supply it. */
export type ErrorRenderer = (
  problem: Problem,
  where: { fragment: boolean },
) => string | Promise<string>

const RETRY_AFTER_SECONDS = 2

/** What the router itself throws, in our words. */
function asHttpAppError(error: unknown): AppError {
  return asAppError(error instanceof HTTPException ? fromHttpException(error) : error)
}

function fromHttpException(error: HTTPException): AppError {
  if (error.status === 404) return new AppError('not-found', 'Page not found.')
  if (error.status === 413) return new AppError('upload-too-large', 'The request is too large.')
  return new AppError('invalid', error.message || 'Invalid request.', {
    cause: error,
  })
}

/** Pages and their forms want HTML; everything under /api and whoever asks for JSON alone gets a problem document. */
export function wantsHtml(path: string, accept: string | undefined): boolean {
  if (/^\/(api|healthz|readyz|metrics|v2|gradio_api)(\/|$)/.test(path)) return false
  if (accept === undefined || accept === '*/*') return false
  return accept.includes('text/html') || !accept.includes('json')
}

/** htmx asks for a part of a page and not for the whole of it. */
export function wantsFragment(c: Context<AppEnv>): boolean {
  return c.req.header('hx-request') === 'true' && c.req.header('hx-request-type') === 'partial'
}

/** Handlers for `app.onError` and `app.notFound`. */
export function problemHandlers(options: { log: Log }) {
  const answer = async (error: unknown, c: Context<AppEnv>): Promise<Response> => {
    const appError = asHttpAppError(error)
    if (appError.status >= 500 && appError.status !== 503) {
      const cause = appError.cause ?? error
      const stack = cause instanceof Error ? cause.stack : undefined
      options.log.error({ method: c.req.method, path: c.req.path, stack }, messageOf(cause))
    }
    const problem = problemOf(appError)
    const headers = new Headers({ 'Cache-Control': 'no-store', Vary: 'Accept, HX-Request' })
    if (problem.status === 503) {
      headers.set('Retry-After', String(appError.retryAfterSeconds ?? RETRY_AFTER_SECONDS))
    }
    if (wantsHtml(c.req.path, c.req.header('accept'))) {
      headers.set('Content-Type', 'text/html; charset=utf-8')
      const frame = frameOf(c)
      const html = wantsFragment(c) ? problemNotice(problem) : errorPage({ frame, problem })
      return new Response(String(html), { status: problem.status, headers })
    }
    headers.set('Content-Type', 'application/problem+json')
    return new Response(JSON.stringify(problem), { status: problem.status, headers })
  }
  return {
    onError: answer,
    notFound: (c: Context<AppEnv>) => answer(new AppError('not-found', 'Page not found.'), c),
  }
}
