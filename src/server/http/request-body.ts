// The bytes of a request's body as they arrive: a sender that falls silent is let go, a gzipped body is inflated on the
// way. Limits on the size are the reader's own, and count what is inflated.
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { AppError } from '../../errors.ts'

/** How long a sender may send nothing. The whole may take as long as it takes. */
const MAX_IDLE_MS = 60_000

export interface BodyOptions {
  readonly maxIdleMs?: number
}

/** So much of a body that nobody reads is passed over, so that the answer arrives and the connection can be used again. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024

/**
 * Ends with the body. Who stops early leaves the rest to be passed over: the connection stays open for the answer.
 * @throws AppError `unsupported-encoding`; `upload-stalled`; `invalid` when it is not gzip as it says; what ended the connection
 */
export function bodyOf(
  request: Request,
  { maxIdleMs = MAX_IDLE_MS }: BodyOptions = {},
): AsyncIterable<Uint8Array> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() || 'identity'
  const { body } = request
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) {
    throw new AppError(
      'unsupported-encoding',
      'The body is compressed in a way that is not read here; send it plain or with Content-Encoding: gzip.',
    )
  }
  if (body === null) return none()
  const raw = chunksOf(body, maxIdleMs)
  return encoding === 'identity' ? raw : inflated(raw)
}

async function* none(): AsyncGenerator<Uint8Array> {}

async function* chunksOf(
  body: ReadableStream<Uint8Array>,
  maxIdleMs: number,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  let isCutShort = true
  try {
    for (;;) {
      const { done, value } = await withinIdle(reader.read(), maxIdleMs)
      if (done) {
        isCutShort = false
        return
      }
      yield value
    }
  } catch (error) {
    isCutShort = false
    throw error
  } finally {
    if (isCutShort) discard(reader).catch(() => {})
    else reader.releaseLock()
  }
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let size = 0
  try {
    while (size < MAX_DISCARDED_BYTES) {
      const { done, value } = await withinIdle(reader.read(), MAX_IDLE_MS)
      if (done) return
      size += value.length
    }
  } finally {
    reader.releaseLock()
  }
}

async function withinIdle<T>(reading: Promise<T>, maxIdleMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const idle = new Promise<never>((_, reject) => {
    const error = new AppError(
      'upload-stalled',
      'Nothing more arrived of the upload; send it again.',
    )
    timer = setTimeout(() => reject(error), maxIdleMs)
  })
  // Its lock is released after a stall, which ends it.
  reading.catch(() => {})
  try {
    return await Promise.race([reading, idle])
  } finally {
    clearTimeout(timer)
  }
}

async function* inflated(raw: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(raw)
  const gunzip = createGunzip()
  source.on('error', (error) => gunzip.destroy(error))
  source.pipe(gunzip)
  try {
    for await (const chunk of gunzip) yield chunk as Buffer
  } catch (cause) {
    if (cause instanceof Error && /^Z_/.test((cause as NodeJS.ErrnoException).code ?? '')) {
      throw new AppError('invalid', 'The body is not whole gzip data; send it again.', { cause })
    }
    throw cause
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}
