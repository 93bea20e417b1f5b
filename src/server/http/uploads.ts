// Multipart and form bodies, parsed while they stream in: every limit is checked on the bytes as they arrive, so that an
// oversized upload is refused before it has been read. File names are never trusted and never used as paths.
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { setImmediate } from 'node:timers/promises'
import busboy from 'busboy'
import { tooLarge, type Upload, type UploadedFile } from '../../app/uploaded-files.ts'
import { AppError } from '../../errors.ts'

const MAX_FIELD_BYTES = 256 * 1024
const MAX_FIELDS = 100

export interface UploadLimits {
  readonly maxFileBytes: number
  /** Other limits, by field. */
  readonly maxBytesOf?: Readonly<Record<string, number>>
  readonly maxFiles: number
  /** Folder to write files into; without it they stay in memory. Made when missing. */
  readonly spoolDir?: string
  /** A file that is too large is kept cut off, one byte past the limit, so that the others are still read. */
  readonly keepsOversized?: boolean
}

/**
 * Reads a form. A body that is no form counts as an empty one, so that the caller's own "is required" messages apply.
 * @throws AppError `upload-too-large`, or `invalid` when the body is cut off or malformed
 */
export async function readUpload(request: Request, limits: UploadLimits): Promise<Upload> {
  const type = request.headers.get('content-type') ?? ''
  const isForm = /^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)
  if (!isForm || request.body === null) return emptyUpload()
  refuseByLength(request, limits)
  const reader = new FormReader(limits)
  try {
    return await reader.read(request.body as ReadableStream, type)
  } catch (error) {
    await reader.dispose()
    throw error
  }
}

function emptyUpload(): Upload {
  return { fields: new Map(), files: [], dispose: async () => {} }
}

/** A client that says beforehand that it sends too much is refused without reading anything. */
function refuseByLength(request: Request, limits: UploadLimits): void {
  const length = Number(request.headers.get('content-length') ?? 0)
  const most = largest(limits) * limits.maxFiles + MAX_FIELDS * MAX_FIELD_BYTES
  if (length > most) throw tooLarge(limits.maxFileBytes)
}

function largest({ maxFileBytes, maxBytesOf = {} }: UploadLimits): number {
  return Math.max(maxFileBytes, ...Object.values(maxBytesOf))
}

/** Stops reading as soon as the parser refuses, and lets others run between two chunks. The body is not cancelled, which would close the connection on the answer. */
async function feed(body: ReadableStream, parser: busboy.Busboy): Promise<void> {
  const parsed = finished(parser)
  const refused = new Promise<void>((resolve) => parser.once('error', () => resolve()))
  parsed.catch(() => {})
  for await (const chunk of body.values({ preventCancel: true })) {
    if (parser.destroyed) break
    await setImmediate()
    if (!parser.write(chunk)) {
      await Promise.race([refused, new Promise((resolve) => parser.once('drain', resolve))])
    }
  }
  if (!parser.destroyed) parser.end()
  await parsed
}

class FormReader {
  readonly #limits: UploadLimits
  readonly #fields = new Map<string, string>()
  readonly #files: Promise<UploadedFile | undefined>[] = []
  readonly #spooled: string[] = []

  constructor(limits: UploadLimits) {
    this.#limits = limits
  }

  async read(body: ReadableStream, contentType: string): Promise<Upload> {
    if (this.#limits.spoolDir) await mkdir(this.#limits.spoolDir, { recursive: true })
    const parser = this.#parser(contentType)
    const refuse = (error: Error): void => void parser.destroy(error)
    parser.on('field', (name, value, info) => {
      if (info.valueTruncated || info.nameTruncated) {
        refuse(new AppError('invalid', `The field "${name.slice(0, 40)}" is too long.`))
      } else this.#fields.set(name, value)
    })
    parser.on('file', (field, stream, info) => {
      const file = this.#keep({ field, fileName: info.filename ?? '' }, stream)
      file.catch(refuse)
      this.#files.push(file)
    })
    parser.on('filesLimit', () =>
      refuse(
        new AppError('invalid', `At most ${this.#limits.maxFiles} files may be sent at once.`),
      ),
    )
    parser.on('fieldsLimit', () => refuse(new AppError('invalid', 'The form has too many fields.')))
    try {
      await feed(body, parser)
    } catch (error) {
      await Promise.allSettled(this.#files)
      if (error instanceof AppError) throw error
      throw new AppError('invalid', 'The upload broke off or is not a valid form; send it again.', {
        cause: error,
      })
    }
    const files = (await Promise.all(this.#files)).filter((file) => file !== undefined)
    return { fields: this.#fields, files, dispose: () => this.dispose() }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#spooled.splice(0).map((path) => rm(path, { force: true })))
  }

  #parser(contentType: string): busboy.Busboy {
    try {
      return busboy({
        headers: { 'content-type': contentType },
        defParamCharset: 'utf8',
        limits: {
          fieldNameSize: 200,
          fieldSize: MAX_FIELD_BYTES,
          fields: MAX_FIELDS,
          files: this.#limits.maxFiles,
          // One byte more, so that our own count finds out and says so.
          fileSize: largest(this.#limits) + 1,
        },
      })
    } catch (error) {
      throw new AppError('invalid', 'The upload is not a valid form; send it again.', {
        cause: error,
      })
    }
  }

  /** Undefined for the empty part that a browser sends when no file was chosen. */
  async #keep(
    part: { field: string; fileName: string },
    stream: Readable,
  ): Promise<UploadedFile | undefined> {
    const { spoolDir, keepsOversized } = this.#limits
    const maxFileBytes = this.#limits.maxBytesOf?.[part.field] ?? this.#limits.maxFileBytes
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxFileBytes && !keepsOversized) stream.destroy(tooLarge(maxFileBytes))
    })
    if (spoolDir) {
      const path = join(spoolDir, randomUUID())
      this.#spooled.push(path)
      await pipeline(stream, cutAfter(maxFileBytes + 1), createWriteStream(path, { mode: 0o600 }))
      return size === 0 && part.fileName === ''
        ? undefined
        : { ...part, size, bytes: undefined, path }
    }
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await finished(stream)
    if (size === 0 && part.fileName === '') return undefined
    return { ...part, size, bytes: Buffer.concat(chunks, size), path: undefined }
  }
}

/** Passes on so many bytes and swallows the rest. */
function cutAfter(bytes: number): Transform {
  let left = bytes
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const passed = chunk.subarray(0, left)
      left -= passed.length
      if (passed.length > 0) this.push(passed)
      done()
    },
  })
}
