// Reading what a request says: JSON bodies against a schema, queries, form fields. The edge where input is checked.
import type { Context } from 'hono'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { findVersionRef, isName, type VersionRef } from '../../package/ids.ts'
import type { AppEnv } from './app-env.ts'
import { issueWords, wrongFieldOf } from './field-words.ts'
import { bodyOf } from './request-body.ts'
import { readUpload } from './uploads.ts'

const MAX_JSON_BYTES = 1024 * 1024

/** @throws AppError `upload-too-large`, or `invalid` naming the first field that is wrong */
export async function readJson<T extends z.ZodType>(
  c: Context<AppEnv>,
  schema: T,
): Promise<z.infer<T>> {
  const bytes = await readSmallBody(c.req.raw)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new AppError('invalid', 'The body of the request must be JSON.', { cause })
  }
  return parseWith(schema, json)
}

/** @throws AppError `invalid` naming the first field that is wrong */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value, { error: issueWords })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const { field, sentence } = issue
    ? wrongFieldOf(issue)
    : { field: 'body', sentence: 'The body is not as it must be.' }
  throw new AppError('invalid', sentence, { extra: { field } })
}

/** Absent and empty values are the same; a list takes a value that is given several times. @throws AppError `invalid` */
export function readQuery<T extends z.ZodObject>(c: Context<AppEnv>, schema: T): z.output<T> {
  const entries = Object.entries(schema.shape).flatMap(([name, one]) => {
    const values = (c.req.queries(name) ?? []).map((text) => text.trim()).filter(Boolean)
    const value = isList(one as z.ZodType) ? values : values[0]
    return value === undefined ? [] : [[name, value]]
  })
  return parseWith(schema, Object.fromEntries(entries))
}

function isList(schema: z.ZodType): boolean {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema
  return inner instanceof z.ZodArray
}

/** The bytes of a body that is known to be small; stops reading at the limit. */
async function readSmallBody(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bodyOf(request)) {
    size += chunk.length
    if (size > MAX_JSON_BYTES) {
      throw new AppError('upload-too-large', 'The body of the request is larger than 1 MiB.')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Of the path of a version. @throws AppError `unknown-version` */
export function versionOfParams(o: { condition: string; name: string; n: string }): VersionRef {
  const ref = findVersionRef(`${o.condition}/${o.name}@${o.n}`)
  if (ref) return ref
  throw new AppError('unknown-version', 'There is no such version.')
}

/** Of the path of a condition. @throws AppError `unknown-condition` */
export function conditionOfParams({ id }: { id: string }): string {
  if (isName(id)) return id
  throw new AppError('unknown-condition', `There is no condition "${id.slice(0, 80)}".`)
}

/** The three path segments `condition/name/n`. @throws AppError `unknown-version` */
export function versionOfPath(c: Context<AppEnv>): VersionRef {
  const { condition = '', name = '', n = '' } = c.req.param() as Record<string, string>
  const ref = findVersionRef(`${condition}/${name}@${n}`)
  if (ref) return ref
  throw new AppError('unknown-version', 'There is no such version.')
}

/** The condition of a path. @throws AppError `unknown-condition` */
export function conditionOfPath(c: Context<AppEnv>): string {
  const id = c.req.param('id') ?? ''
  if (isName(id)) return id
  throw new AppError('unknown-condition', `There is no condition "${id.slice(0, 80)}".`)
}

/** A query parameter, or undefined when it is absent or empty. */
export function queryText(c: Context<AppEnv>, name: string): string | undefined {
  const value = c.req.query(name)?.trim()
  return value === '' ? undefined : value
}

/** @throws AppError `invalid` */
export function queryNumber(
  c: Context<AppEnv>,
  range: { name: string; min: number; max: number },
): number | undefined {
  const text = queryText(c, range.name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isFinite(value) && value >= range.min && value <= range.max) return value
  throw new AppError(
    'invalid',
    `"${range.name}" must be a number from ${range.min} to ${range.max}.`,
    { extra: { field: range.name } },
  )
}

/** A query parameter that is one of some words. @throws AppError `invalid` */
export function queryChoice<const T extends string>(
  c: Context<AppEnv>,
  choice: { name: string; of: readonly T[] },
): T | undefined {
  const text = queryText(c, choice.name)
  if (text === undefined) return undefined
  const found = choice.of.find((one) => one === text)
  if (found !== undefined) return found
  throw new AppError('invalid', `"${choice.name}" must be one of ${choice.of.join(', ')}.`, {
    extra: { field: choice.name },
  })
}

/** The fields of a plain form of a page. @throws AppError `invalid`, `upload-too-large` */
export async function readForm(c: Context<AppEnv>): Promise<ReadonlyMap<string, string>> {
  const upload = await readUpload(c.req.raw, { maxFileBytes: 1024, maxFiles: 1 })
  return upload.fields
}

/** A number of a form; undefined when the field is empty, and not a number when it holds none, for a schema to refuse. */
export function numberField(fields: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = fields.get(name)?.trim() ?? ''
  return text === '' ? undefined : Number(text.replace(',', '.'))
}
