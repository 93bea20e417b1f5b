// An operation of the API, declared once: what it takes is checked by the declaration, what it answers is typed by it, and
// the OpenAPI document is made of it. Routes of pages are plain Hono routes.
import type { Context, Hono } from 'hono'
import { describeRoute } from 'hono-openapi'
import type { z } from 'zod'
import type { AppEnv } from '../http/app-env.ts'
import { parseWith, readJson, readQuery } from '../http/requests.ts'
import type { Answer, Answers, Operation } from './declaration.ts'
import { operationSpec } from './operation-spec.ts'

type Value<T> = T extends z.ZodType ? z.output<T> : Record<never, never>

/** What may be answered for a schema: the same, readonly or not. Where any object fits, any object does. */
type Given<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly Given<E>[]
    : T extends object
      ? string extends keyof T
        ? unknown extends T[keyof T]
          ? object
          : { readonly [K in keyof T]: Given<T[K]> }
        : { readonly [K in keyof T]: Given<T[K]> }
      : T

export type Reply<A extends Answers> = <S extends keyof A & number>(
  status: S,
  ...value: A[S] extends Answer<infer T> & { readonly schema: z.ZodType } ? [Given<z.input<T>>] : []
) => Response

export interface Call<P, Q, J, A extends Answers> {
  readonly c: Context<AppEnv>
  readonly params: Value<P>
  readonly query: Value<Q>
  readonly body: Value<J>
  /** Answers as declared: JSON, or nothing. Bytes and streams are answered by `c.body`. */
  readonly reply: Reply<A>
}

/** JSON of this shape. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, type: 'application/json', schema } as const
}

/** Bytes of this media type. */
export function bytes(type: string, description: string) {
  return { description, type } as const
}

/** A value of JSON a line, each of this shape. */
export function lines<T extends z.ZodType>(schema: T, description: string) {
  return { description, type: 'application/x-ndjson', schema } as const
}

/** Declares an operation and serves it. @throws Error when the path has other parameters than the declaration */
export function operation<
  const A extends Answers,
  P extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Q extends z.ZodObject = z.ZodObject<Record<never, never>>,
  J extends z.ZodType = z.ZodObject<Record<never, never>>,
>(
  routes: Hono<AppEnv>,
  declared: Operation<P, Q, J, A>,
  handle: (call: Call<P, Q, J, A>) => Response | Promise<Response>,
): void {
  const { method, path, params, query, json: body, isBodyOptional } = declared
  checkParams(path, params)
  routes.on(method.toUpperCase(), path, describeRoute(operationSpec(declared)), async (c) => {
    const call = {
      c,
      params: params ? parseWith(params, c.req.param()) : {},
      query: query ? readQuery(c, query) : {},
      body: body ? await bodyOf(c, { body, isBodyOptional }) : {},
      reply: ((status: number, value?: unknown) =>
        value === undefined
          ? c.body(null, status as 204)
          : c.json(value as object, status as 200)) as Reply<A>,
    }
    return handle(call as Call<P, Q, J, A>)
  })
}

function checkParams(path: string, params: z.ZodObject | undefined): void {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name)
  const declared = Object.keys(params?.shape ?? {})
  if (inPath.toSorted().join() === declared.toSorted().join()) return
  throw new Error(`${path} is declared with the parameters ${declared.join(', ') || 'none'}`)
}

async function bodyOf(
  c: Context<AppEnv>,
  { body, isBodyOptional }: { body: z.ZodType; isBodyOptional: boolean | undefined },
): Promise<unknown> {
  const isEmpty = c.req.raw.body === null || c.req.header('content-length') === '0'
  return isEmpty && isBodyOptional ? parseWith(body, {}) : readJson(c, body)
}
