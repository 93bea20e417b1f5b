// How an operation of the API is described, before it becomes OpenAPI.
import type { z } from 'zod'

export interface FormField {
  readonly description: string
  readonly required?: boolean
  readonly kind?: 'text' | 'file' | 'files'
}

export interface Answer {
  readonly description: string
  readonly type?: string
  readonly schema?: z.ZodType
}

export interface Operation {
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** Parameters in braces, as OpenAPI writes them. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly query?: Readonly<Record<string, string>>
  readonly json?: z.ZodType
  readonly form?: Readonly<Record<string, FormField>>
  readonly answers: Readonly<Record<string, Answer>>
  readonly errors?: readonly (readonly [status: string, codes: string])[]
}

export const json = (schema: z.ZodType, description: string): Answer => ({
  description,
  type: 'application/json',
  schema,
})
export const paging = { limit: 'at most so many', cursor: 'the nextCursor of the page before' }
