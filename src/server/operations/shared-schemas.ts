// Schemas that the operations of several nouns share: parameters of paths, paging, and the words for queries.
import { z } from 'zod'

export const ConditionParams = z.object({
  id: z
    .string()
    .describe('id of the condition')
    .meta({ examples: ['pneumonia'] }),
})

export const VersionParams = z.object({
  condition: z
    .string()
    .describe('id of its condition')
    .meta({ examples: ['pneumonia'] }),
  name: z
    .string()
    .describe('name of the version')
    .meta({ examples: ['densenet121-standard'] }),
  n: z
    .string()
    .describe('its number')
    .meta({ examples: ['3'] }),
})

export const IdParams = z.object({ id: z.string() })

/** A number in a query. */
export function numberIn({ min, max }: { readonly min: number; readonly max: number }) {
  const error = ({ path }: { readonly path?: PropertyKey[] | undefined }) =>
    `"${path?.join('.')}" must be a number from ${min} to ${max}.`
  return z.coerce.number({ error }).min(min, { error }).max(max, { error })
}

/** A whole number in a query. */
export function wholeNumberIn(range: { readonly min: number; readonly max: number }) {
  return numberIn(range).int({
    error: ({ path }) => `"${path?.join('.')}" must be a whole number.`,
  })
}

/** One of some words in a query. */
export function choiceOf<const T extends readonly string[]>(words: T) {
  return z.enum(words, {
    error: ({ path }) => `"${path?.join('.')}" must be one of ${words.join(', ')}.`,
  })
}

export const limit = wholeNumberIn({ min: 1, max: 500 }).optional().describe('at most so many')

export const paging = {
  limit,
  cursor: z.string().optional().describe('the nextCursor of the page before'),
} as const

/** `{items, nextCursor}`. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('of the next page; null when this is the last'),
  })
}

/** `{items}`: all of them. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item) })
}

/** A file of a form, which is streamed and never held against a schema. */
export function fileField(description: string) {
  return z.string().meta({ format: 'binary', description })
}

/** Any number of files under the same name. */
export function filesField(description: string) {
  return z.array(z.string().meta({ format: 'binary' })).describe(description)
}
