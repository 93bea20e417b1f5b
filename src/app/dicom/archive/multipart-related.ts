// Bodies of DICOMweb: multipart/related (RFC 2387) with one DICOM object a part, taken apart while they stream in and put
// together for sending. Form uploads are uploads.ts.
import { randomUUID } from 'node:crypto'
import { AppError } from '../../../errors.ts'
import { ArrivingFile, type ArrivingPlace } from '../../arriving-file.ts'
import { UploadBudget } from '../../upload-budget.ts'

export interface Part {
  /** Lower case, without parameters. */
  readonly contentType: string
  /** Undefined when the part was larger than allowed; it was passed over. Until the next part is asked for. */
  readonly bytes: Buffer | undefined
}

export interface PartsOptions {
  readonly boundary: string
  readonly maxPartBytes: number
  /** Where parts go while they arrive; without it they stay in memory. */
  readonly place?: ArrivingPlace | undefined
  readonly signal?: AbortSignal | undefined
}

const MAX_HEADER_BYTES = 8192

/** The boundary, when the header says multipart/related. */
export function boundaryOf(contentType: string): string | undefined {
  if (!/^multipart\/related\s*(;|$)/i.test(contentType)) return undefined
  const found = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType)
  return found?.[1] ?? found?.[2]
}

/** One part after the other; at most one is held in memory. Who takes no more lets go of the body. @throws AppError `invalid` when the body is malformed or ends early */
export async function* readParts(
  body: AsyncIterable<Uint8Array>,
  o: PartsOptions,
): AsyncGenerator<Part> {
  const reader = new BodyReader(body)
  const mark = Buffer.from(`--${o.boundary}`)
  const separator = Buffer.concat([Buffer.from('\r\n'), mark])
  try {
    await reader.upTo(mark, { maxBytes: o.maxPartBytes, into: NOWHERE })
    for (;;) {
      const ending = await reader.take(2)
      if (ending.equals(Buffer.from('--'))) return
      if (!ending.equals(Buffer.from('\r\n'))) throw malformed()
      const headers = await headersOf(reader)
      const contentType = /^content-type:\s*([^\s;]+)/im.exec(headers)?.[1]?.toLowerCase() ?? ''
      const { place = UNBOUNDED, maxPartBytes, signal } = o
      const file = new ArrivingFile(place, { isOnDisk: false })
      try {
        const isWhole = await reader.upTo(separator, { maxBytes: maxPartBytes, into: file })
        yield { contentType, bytes: isWhole ? await file.bytes({ signal }) : undefined }
      } finally {
        await file.dispose()
      }
    }
  } finally {
    await reader.close()
  }
}

/** All in memory. */
const UNBOUNDED: ArrivingPlace = {
  budget: new UploadBudget({ maxBytes: Infinity, maxMemoryBytes: Infinity }),
  dir: '',
}

/** The lines up to the empty one; a part may have none. */
async function headersOf(reader: BodyReader): Promise<string> {
  let text = ''
  for (;;) {
    const line = await reader.line()
    if (text.length > MAX_HEADER_BYTES) throw malformed()
    if (line === '') return text
    text += `${line}\n`
  }
}

/** Where bytes go. */
interface Sink {
  write(chunk: Uint8Array): Promise<void>
}

const NOWHERE: Sink = { write: async () => {} }

class BodyReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest = Buffer.alloc(0)

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]()
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  async take(count: number): Promise<Buffer> {
    while (this.#rest.length < count) this.#rest = Buffer.concat([this.#rest, await this.#next()])
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }

  async line(): Promise<string> {
    const chunks: Uint8Array[] = []
    const into = { write: async (chunk: Uint8Array) => void chunks.push(chunk) }
    const isWhole = await this.upTo(Buffer.from('\r\n'), { maxBytes: MAX_HEADER_BYTES, into })
    if (!isWhole) throw malformed()
    return Buffer.concat(chunks).toString('latin1')
  }

  /** Writes what comes before the mark, which is passed over; false when that is more than is allowed, and the rest of it was passed over. */
  async upTo(mark: Buffer, o: { maxBytes: number; into: Sink }): Promise<boolean> {
    let size = 0
    for (;;) {
      const at = this.#rest.indexOf(mark)
      const certain = at >= 0 ? at : Math.max(0, this.#rest.length - mark.length + 1)
      size += certain
      if (size <= o.maxBytes && certain > 0) await o.into.write(this.#rest.subarray(0, certain))
      this.#rest = this.#rest.subarray(at >= 0 ? at + mark.length : certain)
      if (at >= 0) return size <= o.maxBytes
      this.#rest = Buffer.concat([this.#rest, await this.#next()])
    }
  }

  async #next(): Promise<Uint8Array> {
    const { done, value } = await this.#chunks.next()
    if (done) throw malformed()
    return value
  }
}

function malformed(): AppError {
  return new AppError(
    'invalid',
    'The body is not multipart/related, or is incomplete; send it again.',
  )
}

/** DICOM objects as one body. */
export function encodeParts(objects: readonly Uint8Array[]): { body: Buffer; contentType: string } {
  const boundary = `roentgen-${randomUUID()}`
  const parts = objects.flatMap((object) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    object,
    Buffer.from('\r\n'),
  ])
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
  return {
    body,
    contentType: `multipart/related; type="application/dicom"; boundary="${boundary}"`,
  }
}
