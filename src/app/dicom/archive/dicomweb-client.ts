// What Roentgen asks of an image archive (PS3.18): which images are there (QIDO-RS), one of them (WADO-RS), and to keep
// results (STOW-RS). Answers are checked like anything from outside.
import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import { boundaryOf, encodeParts, readParts } from './multipart-related.ts'

export interface ArchiveAddress {
  /** Without a trailing slash. */
  readonly base: string
  readonly authorization: string | undefined
  readonly maxObjectBytes: number
  readonly signal: AbortSignal
}

export interface ImageAddress {
  readonly study: string
  readonly series: string
  readonly instance: string
}

const ANSWER_MS = 60_000
const PAGE = 200
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

const Uid = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)*$/)
  .max(64)
const UidAttribute = z.object({ Value: z.tuple([Uid]).rest(z.unknown()) })
const Found = z.object({
  '0020000D': UidAttribute,
  '0020000E': UidAttribute,
  '00080018': UidAttribute,
})

/** The archive cannot be reached or is in trouble: the same may work later. Anything else it refused for good. */
export function isPassing(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable'
}

/** Images of a modality in studies since a day (YYYYMMDD); those that it does not describe properly are left out. */
export async function* findImages(
  archive: ArchiveAddress,
  o: { readonly modality: string; readonly since: string },
): AsyncGenerator<ImageAddress> {
  let before: string | undefined
  for (let offset = 0; ; offset += PAGE) {
    const query = new URLSearchParams({
      Modality: o.modality,
      StudyDate: `${o.since}-`,
      limit: String(PAGE),
      offset: String(offset),
    })
    const response = await ask(archive, `/instances?${query}`, {
      headers: { Accept: 'application/dicom+json' },
    })
    if (response.status === 204) return
    const text = (await bytesOf(response, MAX_ANSWER_BYTES)).toString('utf8')
    const items = z.array(z.unknown()).safeParse(jsonOf(text))
    if (!items.success)
      throw new AppError('unavailable', 'The archive’s response is not a list of images.')
    // An archive that knows no pages gives the same one again, for ever.
    const first = JSON.stringify(items.data[0])
    if (first === before) return
    before = first
    for (const item of items.data) {
      const found = Found.safeParse(item)
      if (!found.success) continue
      yield {
        study: found.data['0020000D'].Value[0],
        series: found.data['0020000E'].Value[0],
        instance: found.data['00080018'].Value[0],
      }
    }
    if (items.data.length < PAGE) return
  }
}

/** The DICOM file. @throws AppError `unavailable`, `upload-too-large`, `conflict` when the archive refuses */
export async function fetchImage(
  archive: ArchiveAddress,
  { study, series, instance }: ImageAddress,
): Promise<Uint8Array> {
  const path = `/studies/${study}/series/${series}/instances/${instance}`
  const response = await ask(archive, path, {
    headers: { Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' },
  })
  const type = response.headers.get('content-type') ?? ''
  const boundary = boundaryOf(type)
  if (!boundary || !response.body) {
    if (/^application\/dicom\s*(;|$)/i.test(type)) return bytesOf(response, archive.maxObjectBytes)
    throw new AppError('unavailable', 'The archive’s response contains no DICOM object.')
  }
  const maxPartBytes = archive.maxObjectBytes
  for await (const { bytes } of readParts(response.body, { boundary, maxPartBytes })) {
    if (bytes) return bytes
    throw new AppError('upload-too-large', 'The image exceeds the size limit.')
  }
  throw new AppError('unavailable', 'The archive’s response contains no DICOM object.')
}

/** @throws AppError `unavailable`; `conflict` when the archive does not keep all of them */
export async function storeObjects(
  archive: ArchiveAddress,
  o: { readonly study: string; readonly objects: readonly Uint8Array[] },
): Promise<void> {
  const { body, contentType } = encodeParts(o.objects)
  const response = await ask(archive, `/studies/${o.study}`, {
    method: 'POST',
    headers: { 'Content-Type': contentType, Accept: 'application/dicom+json' },
    body: new Uint8Array(body),
  })
  const text = (await bytesOf(response, MAX_ANSWER_BYTES)).toString('utf8')
  const failed = (jsonOf(text) as Record<string, { Value?: unknown[] }> | undefined)?.['00081198']
  if (response.status === 202 && failed?.Value?.length) {
    throw new AppError(
      'conflict',
      `The archive did not store ${failed.Value.length} of the results.`,
    )
  }
}

async function ask(archive: ArchiveAddress, path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers)
  if (archive.authorization) headers.set('Authorization', archive.authorization)
  const signal = AbortSignal.any([archive.signal, AbortSignal.timeout(ANSWER_MS)])
  let response: Response
  try {
    // A redirect could lead the credentials elsewhere.
    response = await fetch(archive.base + path, { ...init, headers, signal, redirect: 'error' })
  } catch (cause) {
    throw new AppError('unavailable', 'The archive does not respond.', { cause })
  }
  if (response.ok) return response
  await response.body?.cancel()
  const { status } = response
  const passes = status >= 500 || [401, 403, 404, 408, 425, 429].includes(status)
  throw new AppError(passes ? 'unavailable' : 'conflict', `The archive returned status ${status}.`)
}

async function bytesOf(response: Response, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > most)
        throw new AppError('upload-too-large', 'The archive’s response is too large.')
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('unavailable', 'The archive’s response ended early.', { cause })
  }
  return Buffer.concat(chunks)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
