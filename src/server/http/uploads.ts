// Multipart and form bodies, parsed while they stream in: every limit is checked on the bytes as they arrive, so that an
// oversized upload is refused before it has been read. File names are never trusted and never used as paths.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import busboy from 'busboy'
import { ArrivingFile, type ArrivingPlace } from '../../app/arriving-file.ts'
import { UploadBudget } from '../../app/upload-budget.ts'
import { tooLarge, type Upload, type UploadedFile } from '../../app/uploaded-files.ts'
import { AppError, isDiskFull } from '../../errors.ts'
import { bodyOf } from './request-body.ts'
import { findUploadScope } from './upload-scope.ts'

const MAX_FIELD_BYTES = 256 * 1024
const MAX_FIELDS = 100

export interface UploadLimits {
  readonly maxFileBytes: number
  /** Other limits, by field. */
  readonly maxBytesOf?: Readonly<Record<string, number>>
  readonly maxFiles: number
  /** Folder to write files into, which `dispose` removes; without it their bytes are given, until the request is answered. Made when missing. */
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
  const scope = findUploadScope(request)
  const budget = scope?.budget ?? UNBOUNDED
  const dir = limits.spoolDir ?? scope?.dir ?? join(tmpdir(), 'roentgen-uploads')
  const reader = new FormReader(limits, { budget, dir })
  if (!limits.spoolDir) scope?.onAnswered(() => reader.dispose())
  try {
    return await reader.read(request, type)
  } catch (error) {
    await reader.dispose()
    throw error
  }
}

/** For a request that came around the server. */
const UNBOUNDED = new UploadBudget({ maxBytes: Infinity, maxMemoryBytes: Infinity })

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
async function feed(body: AsyncIterable<Uint8Array>, parser: busboy.Busboy): Promise<void> {
  const parsed = finished(parser)
  const refused = new Promise<void>((resolve) => parser.once('close', () => resolve()))
  parsed.catch(() => {})
  try {
    for await (const chunk of body) {
      if (parser.destroyed) break
      await setImmediate()
      if (!parser.write(chunk)) {
        await Promise.race([refused, new Promise((resolve) => parser.once('drain', resolve))])
      }
    }
  } catch (error) {
    // The files that are being read end with the parser; they would wait for their next byte for ever.
    parser.destroy(error as Error)
    throw error
  }
  if (!parser.destroyed) parser.end()
  await parsed
}

class FormReader {
  readonly #limits: UploadLimits
  readonly #place: ArrivingPlace
  readonly #fields = new Map<string, string>()
  readonly #files: Promise<ReadFile | undefined>[] = []
  readonly #arriving: ArrivingFile[] = []

  constructor(limits: UploadLimits, place: ArrivingPlace) {
    this.#limits = limits
    this.#place = place
  }

  async read(request: Request, contentType: string): Promise<Upload> {
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
      await feed(bodyOf(request), parser)
    } catch (error) {
      const ended = await Promise.allSettled(this.#files)
      const why = [error, ...ended.map((one) => one.status === 'rejected' && one.reason)]
      const known = why.find((one) => one instanceof AppError || isDiskFull(one))
      if (known) throw known
      throw new AppError(
        'invalid',
        'The upload was interrupted or is not a valid form; send it again.',
        {
          cause: error,
        },
      )
    }
    const read = (await Promise.all(this.#files)).filter((file) => file !== undefined)
    const files: UploadedFile[] = []
    for (const { arriving, ...part } of read) {
      const { size } = arriving
      const { signal } = request
      const place = this.#limits.spoolDir
        ? { bytes: undefined, path: await arriving.finish() }
        : { bytes: await arriving.bytes({ signal }), path: undefined }
      files.push({ ...part, size, ...place })
    }
    return { fields: this.#fields, files, dispose: () => this.dispose() }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#arriving.splice(0).map((file) => file.dispose()))
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
  ): Promise<ReadFile | undefined> {
    const { spoolDir, keepsOversized } = this.#limits
    const maxFileBytes = this.#limits.maxBytesOf?.[part.field] ?? this.#limits.maxFileBytes
    const arriving = new ArrivingFile(this.#place, { isOnDisk: spoolDir !== undefined })
    this.#arriving.push(arriving)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const isOver = arriving.size + chunk.length > maxFileBytes
      if (isOver && !keepsOversized) throw tooLarge(maxFileBytes)
      const room = maxFileBytes + 1 - arriving.size
      if (room > 0) await arriving.write(chunk.subarray(0, room))
    }
    if (arriving.size === 0 && part.fileName === '') return undefined
    await arriving.finish()
    return { ...part, arriving }
  }
}

interface ReadFile {
  readonly field: string
  readonly fileName: string
  readonly arriving: ArrivingFile
}
