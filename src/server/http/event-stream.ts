// Server-sent events of a job or run: each with its id, so that a client that comes back misses nothing.
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { AppEnv } from './app-env.ts'
import { queryText } from './requests.ts'

export interface StreamedEvent {
  readonly id: string
  readonly type: string
  readonly data: unknown
}

/** So that nobody between here and the page thinks that nothing comes any more. */
const HEARTBEAT_MS = 15_000

/** What the client saw last: the header of an EventSource that comes back, or a query for programs. */
export function lastEventId(c: Context<AppEnv>): string | undefined {
  return c.req.header('last-event-id') ?? queryText(c, 'lastEventId')
}

/** Ends with the last event, the client or the server. */
export function eventStream(
  c: Context<AppEnv>,
  o: {
    readonly leaving: AbortSignal
    readonly events: (signal: AbortSignal) => AsyncIterable<StreamedEvent>
    readonly isLast: (event: StreamedEvent) => boolean
  },
): Response {
  return streamSSE(c, async (stream) => {
    const gone = new AbortController()
    stream.onAbort(() => gone.abort())
    const signal = AbortSignal.any([gone.signal, o.leaving])
    const beat = setInterval(() => void stream.write(': still here\n\n'), HEARTBEAT_MS)
    try {
      for await (const event of o.events(signal)) {
        const { id, type, data } = event
        await stream.writeSSE({ id, event: type, data: JSON.stringify(data) })
        if (o.isLast(event)) break
      }
    } finally {
      clearInterval(beat)
    }
  })
}
