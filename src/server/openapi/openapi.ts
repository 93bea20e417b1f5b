// The OpenAPI 3.1 document of the API, put together from the schemas that requests are checked against and answers are
// tested against. The operations are listed in openapi-reading.ts and openapi-registry.ts.
import { z } from 'zod'
import { PRODUCT_VERSION } from '../../app/product.ts'
import * as schemas from '../http/api-schemas.ts'
import { RunSchema } from '../runs/schema.ts'
import { COMPARISON } from './openapi-comparison.ts'
import { EVALUATION } from './openapi-evaluation.ts'
import { GOVERNANCE } from './openapi-governance.ts'
import type { Operation } from './openapi-operation.ts'
import { READING } from './openapi-reading.ts'
import { CONDITIONS, VERSIONS } from './openapi-registry.ts'
import { TRAINING } from './openapi-training.ts'

type Json = Record<string, unknown>

/** Named parts of the document; whatever else is described stands where it is used. */
const COMPONENTS = {
  Problem: schemas.ProblemSchema,
  Condition: schemas.ConditionSchema,
  Activation: schemas.ActivationSchema,
  Version: schemas.VersionSchema,
  Prediction: schemas.PredictionSchema,
  Comparison: schemas.ComparisonSchema,
  Feedback: schemas.FeedbackSchema,
  Run: RunSchema,
} as const

let document: Json | undefined

export function openapiDocument(): Json {
  document ??= {
    openapi: '3.1.0',
    info: {
      title: 'Roentgen',
      version: PRODUCT_VERSION,
      description:
        'Reads X-rays with models that are verified before they answer. Research use only; not a medical device. ' +
        'Errors are application/problem+json (RFC 9457) with a stable `code`.',
    },
    servers: [{ url: '/' }],
    paths: pathsOf([
      ...READING,
      ...CONDITIONS,
      ...GOVERNANCE,
      ...VERSIONS,
      ...EVALUATION,
      ...COMPARISON,
      ...TRAINING,
    ]),
    components: {
      schemas: Object.fromEntries(
        Object.entries(COMPONENTS).map(([name, schema]) => [name, jsonSchema(schema)]),
      ),
    },
  }
  return document
}

function pathsOf(operations: readonly Operation[]): Json {
  const paths: Record<string, Json> = {}
  for (const operation of operations) {
    const item = paths[operation.path] ?? {}
    item[operation.method] = describe(operation)
    paths[operation.path] = item
  }
  return paths
}

function describe(operation: Operation): Json {
  const { tag, summary, description, query = {}, answers, errors = [] } = operation
  const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(query).map(([name, text]) => ({
    name,
    in: 'query',
    required: false,
    schema: { type: 'string' },
    description: text,
  }))
  const problem = {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  }
  return {
    tags: [tag],
    summary,
    ...(description && { description }),
    operationId: operationId(operation),
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...bodyOf(operation),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description: text, type, schema }]) => [
          status,
          {
            description: text,
            ...(type && { content: { [type]: { schema: schema ? reference(schema) : {} } } }),
          },
        ]),
      ),
      ...Object.fromEntries(
        errors.map(([status, text]) => [status, { description: text, content: problem }]),
      ),
      default: { description: 'A problem, with a stable code', content: problem },
    },
  }
}

function bodyOf({ json, form }: Operation): Json {
  if (json) {
    return {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(json) } },
      },
    }
  }
  if (!form) return {}
  const properties = Object.fromEntries(
    Object.entries(form).map(([name, { description, kind = 'text' }]) => [
      name,
      kind === 'text'
        ? { type: 'string', description }
        : kind === 'file'
          ? { type: 'string', format: 'binary', description }
          : { type: 'array', items: { type: 'string', format: 'binary' }, description },
    ]),
  )
  const required = Object.entries(form).flatMap(([name, field]) => (field.required ? [name] : []))
  const schema = { type: 'object', properties, required }
  return { requestBody: { required: true, content: { 'multipart/form-data': { schema } } } }
}

/** A component by reference where the schema is one, or a list or a page of one; else in full. */
function reference(schema: z.ZodType): Json {
  const named = Object.entries(COMPONENTS).find(([, one]) => one === schema)
  if (named) return { $ref: `#/components/schemas/${named[0]}` }
  if (schema instanceof z.ZodArray) {
    return { type: 'array', items: reference(schema.element as z.ZodType) }
  }
  if (schema instanceof z.ZodObject && 'items' in schema.shape) {
    const whole = jsonSchema(schema)
    const properties = {
      ...(whole.properties as Json),
      items: reference(schema.shape.items as z.ZodType),
    }
    return { ...whole, properties }
  }
  return jsonSchema(schema)
}

function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

function operationId({ method, path }: Operation): string {
  const words = path
    .replace('/api/v1/', '')
    .split(/[^a-zA-Z0-9]+/)
    .filter(Boolean)
  return [method, ...words].join('-')
}
