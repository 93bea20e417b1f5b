// Holds answers of the API against its OpenAPI document: body, media type and status; no field that is not described passes.
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

export type Method = 'get' | 'post' | 'patch' | 'delete'

export interface Described {
  /** `get /api/v1/conditions/{id}` */
  readonly key: string
  readonly method: Method
  readonly path: string
  readonly spec: OperationSpec
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly schema: { readonly enum?: readonly string[]; readonly type?: string }
}

type Content = Readonly<Record<string, { readonly schema?: object }>>

interface OperationSpec {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

export interface ApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<Method, OperationSpec>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

export function operationsOf({ paths }: ApiDocument): Described[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, spec]) => ({
      key: `${method} ${path}`,
      method: method as Method,
      path,
      spec,
    })),
  )
}

/** Throws with what does not fit. Its answer's body is read; what was in it is returned. */
export class AnswerCheck {
  readonly #ajv: Ajv2020
  readonly #operations: ReadonlyMap<string, Described>

  constructor(document: ApiDocument) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: true })
    addFormats.default(this.#ajv)
    this.#ajv.addSchema({ ...document, $id: 'api' })
    this.#operations = new Map(operationsOf(document).map((one) => [one.key, one]))
  }

  async check(key: string, response: Response): Promise<unknown> {
    const operation = this.#operations.get(key)
    assert.ok(operation, `${key} is not in the document`)
    const { status } = response
    const { responses } = operation.spec
    const described = responses[status] ?? (status >= 400 ? responses.default : undefined)
    assert.ok(described, `${key} answered ${status}: ${await response.clone().text()}`)
    const text = await response.text()
    const type = response.headers.get('content-type')?.split(';')[0]
    if (!described.content) {
      assert.equal(text, '', `${key} ${status} has no body`)
      return undefined
    }
    assert.ok(type, `${key} ${status} has a media type`)
    assert.ok(
      described.content[type],
      `${key} ${status} is not described as ${type}: ${text.slice(0, 200)}`,
    )
    const where = `api#/paths/${pointer(operation.path)}/${operation.method}/responses/${
      responses[status] ? status : 'default'
    }/content/${pointer(type)}/schema`
    if (/json$/.test(type) && type !== 'application/x-ndjson') {
      return this.#holds(key, { where, value: JSON.parse(text) })
    }
    if (type !== 'application/x-ndjson') {
      assert.ok(text.length > 0, `${key} ${status} is not empty`)
      return text
    }
    const lines = text.trimEnd().split('\n')
    return lines.map((line) => this.#holds(key, { where, value: JSON.parse(line) }))
  }

  #holds(key: string, { where, value }: { where: string; value: unknown }): unknown {
    const validate = this.#ajv.getSchema(where)
    assert.ok(validate, `${key} has a schema at ${where}`)
    const told = JSON.stringify(value)?.slice(0, 1500)
    assert.ok(validate(value), `${key}: ${this.#ajv.errorsText(validate.errors)} in ${told}`)
    return value
  }
}

function pointer(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'))
}
