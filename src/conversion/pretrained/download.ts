// One file from the public source of weights to the disk: over https, with a limit of size, resumed where it was broken off.
// Whether it is the right file is for the caller to see, by its check sums.
import { open, stat } from 'node:fs/promises'
import { AppError, isDiskFull } from '../../errors.ts'

export interface Download {
  readonly url: URL
  /** Bytes that are there already are gone on from. */
  readonly path: string
  readonly maxBytes: number
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Without a byte for so long it is given up; a minute by default. */
  readonly idleMs?: number
}

const IDLE_MS = 60_000
const PARTIAL = 206
const RANGE_IS_WRONG = 416

/** @throws AppError `unavailable` when the source does not give it, `invalid-package` when it is too large, `disk-full` */
export async function download(o: Download): Promise<void> {
  const there = await stat(o.path).then(
    ({ size }) => size,
    () => 0,
  )
  const idle = new AbortController()
  const { idleMs = IDLE_MS } = o
  let timer = setTimeout(() => idle.abort(), idleMs)
  const signal = AbortSignal.any([idle.signal, ...(o.signal ? [o.signal] : [])])
  try {
    const response = await ask(o, { from: there, signal })
    // What is there is the whole file already, or more than that: its check sums tell.
    if (response.status === RANGE_IS_WRONG) return
    const from = response.status === PARTIAL ? there : 0
    const total = from + Number(response.headers.get('content-length') ?? 0)
    if (total > o.maxBytes) throw tooLarge()
    const file = await open(o.path, from > 0 ? 'a' : 'w', 0o644)
    try {
      let done = from
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer)
        timer = setTimeout(() => idle.abort(), idleMs)
        done += chunk.length
        if (done > o.maxBytes) throw tooLarge()
        await file.writeFile(chunk)
        o.onProgress?.(done, Math.max(total, done))
      }
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw inWords(error, o)
  } finally {
    clearTimeout(timer)
  }
}

async function ask(
  { url }: Download,
  { from, signal }: { readonly from: number; readonly signal: AbortSignal },
): Promise<Response> {
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {}
  const response = await fetch(url, { headers, signal })
  if (new URL(response.url).protocol !== url.protocol) {
    throw new AppError(
      'unavailable',
      `${url.hostname} leads to another kind of address; nothing was fetched.`,
    )
  }
  if (response.ok || (response.status === RANGE_IS_WRONG && from > 0)) return response
  throw new AppError(
    'unavailable',
    `${url.hostname} does not give the file (status ${response.status}); try again later, or load it elsewhere and import it.`,
  )
}

function tooLarge(): AppError {
  return new AppError(
    'invalid-package',
    'What the source gives is larger than the file that was asked for, so it was not loaded further.',
  )
}

function inWords(error: unknown, { url, signal }: Download): unknown {
  if (error instanceof AppError || isDiskFull(error)) return error
  if (signal?.aborted) {
    return new AppError('unavailable', 'Interrupted; the next fetch goes on from here.', {
      cause: error,
    })
  }
  const isIdle = error instanceof Error && error.name === 'AbortError'
  return new AppError(
    'unavailable',
    isIdle
      ? `${url.hostname} stopped sending; run the same command again, it goes on from where it was.`
      : `${url.hostname} cannot be reached: try again with a connection, name a mirror in ROENTGEN_WEIGHTS_URL, ` +
          'or load the file on another machine and use "roentgen weights import FILE".',
    { cause: error },
  )
}
