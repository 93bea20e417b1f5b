// Server-sent events as they arrive (WHATWG HTML, "Interpreting an event stream"), as far as our own server uses it.
import { AppError } from '../errors.ts'

export interface SentEvent {
  readonly id: string
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Until the stream ends. @throws AppError `unavailable` when it is cut */
export async function* eventsOf(response: Response): AsyncGenerator<SentEvent> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = parse(block)
        if (event) yield event
      }
    }
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'The running server stopped responding; its run can be resumed when it is back.',
      { cause },
    )
  }
}

function parse(block: string): SentEvent | undefined {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1]
  const data = field('data')
  if (data === undefined) return undefined
  return { id: field('id') ?? '', event: field('event') ?? 'message', data: JSON.parse(data) }
}
