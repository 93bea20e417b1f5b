// Server-sent events as a program reads them: each with its id, name and parsed data.

export interface SentEvent {
  readonly id: string
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Yields until the stream ends; a server that is killed ends it too. */
export async function* sentEvents(response: Response): AsyncGenerator<SentEvent> {
  const decoder = new TextDecoder()
  let text = ''
  if (!response.body) return
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1]
        const data = field('data')
        if (data === undefined) continue
        yield { id: field('id') ?? '', event: field('event') ?? '', data: JSON.parse(data) }
      }
    }
  } catch {
    // The server was killed.
  }
}
