// Who may talk to the server: Host and Origin checks, the local token of the command line, and response headers.
// There are no users yet (CONTRACT section 5): whoever reaches the loopback address may do everything.
import { timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { Context, MiddlewareHandler } from 'hono'
import { isLoopback } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import type { AppEnv } from './app-env.ts'
import { type ProxyList, seenBy } from './proxies.ts'

export interface SecurityOptions {
  /** ROENTGEN_OPEN: other machines may come, by any address of this machine. */
  readonly open: boolean
  /** The name or address that is listened on. */
  readonly host: string
  readonly allowedHosts: readonly string[]
  /** The secret in data/server.json. */
  readonly token: string
  /** Whose X-Forwarded-Host counts. */
  readonly proxies: ProxyList
}

/** No inline script or style, nothing from another place, no framing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * `Referrer-Policy` is same-origin and not no-referrer because with the latter browsers send `Origin: null`
 * with every form, which could not be told from a form on somebody else's page (Fetch standard, "serialize origin").
 */
export function responseHeaders(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next()
    c.res.headers.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
    c.res.headers.set('X-Content-Type-Options', 'nosniff')
    c.res.headers.set('X-Frame-Options', 'DENY')
    c.res.headers.set('Referrer-Policy', 'same-origin')
    c.res.headers.set('Cross-Origin-Opener-Policy', 'same-origin')
    c.res.headers.set('Cross-Origin-Resource-Policy', 'same-origin')
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store')
  }
}

/** Refuses foreign hosts (DNS rebinding) and foreign origins (cross-site requests); says who acts. */
export function gatekeeper(options: SecurityOptions): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const asked = c.req.header('host') ?? new URL(c.req.url).host
    const { headers } = c.req.raw
    const { host, client } = seenBy(options.proxies, { headers, peer: peerOf(c), host: asked })
    c.set('client', client)
    if (!isAllowedHost(host, options)) {
      throw new AppError(
        'forbidden',
        'This host name is not allowed. Use http://127.0.0.1, or name the host in ROENTGEN_ALLOWED_HOSTS.',
      )
    }
    const origin = c.req.header('origin')
    if (origin !== undefined && !isSameOrigin(origin, host)) {
      throw new AppError('forbidden', 'Requests from another website are refused.')
    }
    if (comesFromElsewhere(c, host) && !isVisit(c)) {
      throw new AppError('forbidden', 'Requests from another website are refused.')
    }
    c.set('actor', actorOf(c, options.token))
    await next()
  }
}

/** The address at the other end of the connection; undefined for a call within this process. */
function peerOf(c: Context<AppEnv>): string | undefined {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } }
  return incoming?.socket?.remoteAddress
}

/**
 * What a browser says about the page that a request came from (Fetch Metadata). Another port of this machine is `same-site`
 * and just as foreign. Over plain HTTP to another machine browsers do not say it; the page's address is looked at then.
 */
function comesFromElsewhere(c: Context<AppEnv>, host: string): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const referer = c.req.header('referer')
  return referer !== undefined && !isSameOrigin(referer, host)
}

const NO_PAGE =
  /^\/(api|public|dicomweb|v2|gradio_api|healthz|readyz|metrics)(\/|$)|\.[a-z]{2,8}$|\/images\/[^/]*$/

/** Somebody followed a link to a page of ours: it is shown in a window of its own, and its opener cannot read it. */
function isVisit(c: Context<AppEnv>): boolean {
  if (c.req.raw.method !== 'GET' || NO_PAGE.test(c.req.path)) return false
  const [mode, target] = [c.req.header('sec-fetch-mode'), c.req.header('sec-fetch-dest')]
  return (mode ?? 'navigate') === 'navigate' && (target ?? 'document') === 'document'
}

/** The name of a Host header without its port, lower-case; IPv6 without brackets. */
function hostName(host: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::\d{1,5})?$/.exec(host.trim().toLowerCase())
  return match?.[1] ?? match?.[2] ?? ''
}

export function isAllowedHost(
  host: string,
  options: Pick<SecurityOptions, 'open' | 'host' | 'allowedHosts'>,
): boolean {
  const name = hostName(host)
  if (name === '') return false
  if (isLoopback(name) || name === options.host.toLowerCase()) return true
  if (options.allowedHosts.includes(name)) return true
  // An address in digits cannot be rebound by somebody's name server, so when the server is open any will do.
  return options.open && isIP(name) !== 0
}

/** True when the page that sent this request came from this very host and port. `null` is foreign. */
export function isSameOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:'
  return isWeb && url.host === host.trim().toLowerCase()
}

/** @throws AppError `forbidden` when a token is shown that is not this server's. */
function actorOf(c: Context<AppEnv>, token: string): Actor {
  const request = c.req.raw
  const authorization = request.headers.get('authorization')
  if (authorization === null) {
    const isApi = c.req.path.startsWith('/api/')
    return { by: 'local', via: isApi ? 'api' : 'page' }
  }
  const given = Buffer.from(authorization.replace(/^Bearer\s+/i, ''))
  const expected = Buffer.from(token)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new AppError('forbidden', 'The token is not the one of the running server.')
  }
  const name = request.headers.get('x-roentgen-by')?.trim().slice(0, 100)
  return { by: name || 'cli', via: 'cli' }
}
