// An operation's declaration as OpenAPI describes it. What is shared by all (the problem document, parameters from a
// schema, forms) is put together here.
import { type DescribeRouteOptions, resolver } from 'hono-openapi'
import { z } from 'zod'
import type { Answer, Operation } from './declaration.ts'
import { ProblemSchema } from './problem-schema.ts'

type Json = Record<string, unknown>

/** What is sent is described as the sender has it, what is answered as the receiver gets it: with no further fields. */
const SENT = { options: { io: 'input', unrepresentable: 'any' } } as const
const ANSWERED = { options: { io: 'output', unrepresentable: 'any' } } as const

export function operationSpec(declared: Operation): DescribeRouteOptions {
  const { tag, summary, description, params, query, answers, errors = [] } = declared
  const problem = {
    'application/problem+json': { schema: resolver(ProblemSchema, ANSWERED) },
  }
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')]
  const spec: Json = {
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    operationId: operationId(declared),
    ...(parameters.length > 0 && { parameters }),
    ...requestBodyOf(declared),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)]),
      ),
      ...Object.fromEntries(
        errors.map(([status, codes]) => [status, { description: codes, content: problem }]),
      ),
      default: { description: 'A problem, with a stable code', content: problem },
    },
  }
  return spec as DescribeRouteOptions
}

function parametersOf(schema: z.ZodObject | undefined, where: 'path' | 'query'): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = z.toJSONSchema(schema, SENT.options)
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as z.core.JSONSchema.JSONSchema
    const isRequired = where === 'path' || required.includes(name)
    return {
      name,
      in: where,
      required: isRequired,
      schema: rest,
      ...(description && { description }),
    }
  })
}

function requestBodyOf({ json, isBodyOptional, form, bodyType }: Operation): Json {
  const required = isBodyOptional !== true
  if (json) {
    const content = { 'application/json': { schema: resolver(json, SENT) } }
    return { requestBody: { required, content } }
  }
  if (form) {
    const content = { 'multipart/form-data': { schema: resolver(form, SENT) } }
    return { requestBody: { required, content } }
  }
  if (bodyType === undefined) return {}
  return { requestBody: { required, content: { [bodyType]: {} } } }
}

function responseOf({ description, type, schema, alsoAs = [], headers }: Answer): Json {
  const content = [
    ...(type ? [[type, schema ? { schema: resolver(schema, ANSWERED) } : bytesOf(type)]] : []),
    ...alsoAs.map((other) => [other, bytesOf(other)]),
  ]
  return {
    description,
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, words]) => [
          name,
          { description: words, schema: { type: 'string' } },
        ]),
      ),
    }),
    ...(content.length > 0 && { content: Object.fromEntries(content) }),
  }
}

/** Text is a string; for other bytes OpenAPI 3.1 wants no schema. */
function bytesOf(type: string): Json {
  return type.startsWith('text/') ? { schema: { type: 'string' } } : {}
}

function operationId({ method, path }: Operation): string {
  const words = path
    .replace('/api/v1/', '')
    .split(/[^a-zA-Z0-9]+/)
    .filter(Boolean)
  return [method, ...words].join('-')
}
