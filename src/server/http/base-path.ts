// Running below a path of another site (ROENTGEN_BASE_PATH): addresses come in with that path or, where the proxy takes it
// away, without it, and links go out with it. The routes and views themselves know nothing of it.
import type { MiddlewareHandler } from 'hono'
import { getPathNoStrict } from 'hono/utils/url'
import type { AppEnv } from './app-env.ts'

/** The path of a request as the routes have it. */
export function pathBelow(base: string): (request: Request) => string {
  return (request) => {
    const path = getPathNoStrict(request)
    if (base === '' || !(path === base || path.startsWith(`${base}/`))) return path
    return path.slice(base.length) || '/'
  }
}

/** An attribute of an element that is an address of ours. In text and values quotes are escaped, so this is never one of them. */
const ATTRIBUTES = /(<[^<>]*>)/g
const ADDRESS = /(\s[a-z][a-z0-9-]*=")(\/(?!\/))/g
/** `url` members of JSON; a quote within a text is escaped. */
const JSON_ADDRESS = /("(?:url|href)":\s?")(\/(?!\/))/g

/** Puts the base before every address of ours in pages, JSON and redirects. */
export function linksBelow(base: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next()
    if (base === '') return
    const location = c.res.headers.get('location')
    if (location?.startsWith('/') && !location.startsWith('//')) {
      c.res.headers.set('location', base + location)
    }
    const type = c.res.headers.get('content-type') ?? ''
    const isHtml = type.startsWith('text/html')
    if (!c.res.body || !(isHtml || /^application\/json\b/.test(type))) return
    const text = await c.res.text()
    const headers = new Headers(c.res.headers)
    headers.delete('content-length')
    const body = isHtml
      ? text.replaceAll(ATTRIBUTES, (tag) => tag.replaceAll(ADDRESS, `$1${base}$2`))
      : text.replaceAll(JSON_ADDRESS, `$1${base}$2`)
    c.res = new Response(body, { status: c.res.status, headers })
  }
}
