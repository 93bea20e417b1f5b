// What an operation of the API declares about itself.
import type { z } from 'zod'

export interface Answer<T extends z.ZodType = z.ZodType> {
  readonly description: string
  /** Media type; none when the answer has no body. */
  readonly type?: string
  /** Of the body; of each line of `application/x-ndjson`. Anything else is bytes. */
  readonly schema?: T
  /** Further media types in which the same can be asked for. */
  readonly alsoAs?: readonly string[]
  /** Names of headers and what they say. */
  readonly headers?: Readonly<Record<string, string>>
}

export type Answers = Readonly<Record<number, Answer>>

export interface Operation<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  J extends z.ZodType = z.ZodType,
  A extends Answers = Answers,
> {
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** As Hono writes it: `/api/v1/conditions/:id`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** Exactly the parameters of the path. */
  readonly params?: P
  /** Absent and empty values are the same; a list takes a value that is given several times. */
  readonly query?: Q
  /** Body of type `application/json`. */
  readonly json?: J
  /** Whether the JSON body may be left out; it counts as `{}` then. */
  readonly isBodyOptional?: boolean
  /** Body of type `multipart/form-data`; the handler reads it, because files are streamed under limits of their own. */
  readonly form?: z.ZodObject
  /** Media type of any other body; the handler reads it. */
  readonly bodyType?: string
  readonly answers: A
  /** Problems by status, with their codes. */
  readonly errors?: readonly (readonly [status: number, codes: string])[]
}
