// The API as a page to read, made from the OpenAPI document that programs get. Nothing is described twice.
import { html } from 'hono/html'
import { badge, type Html } from '../shared/components.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'

type Json = Readonly<Record<string, unknown>>

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

interface Operation {
  readonly method: string
  readonly path: string
  readonly spec: Json
}

export function apiDocsPage({ frame, openapi }: { frame: Frame; openapi: object }): Html {
  const document = asJson(openapi)
  const groups = Map.groupBy(operationsOf(document), tagOf)
  return page(
    frame,
    { title: 'API', width: 'wide' },
    html`<header class="heading"><h1>API</h1>
      <p>${prose(asJson(document.info).description)} OpenAPI spec: <a
        href="${links.openapi}">${links.openapi}</a>.</p>
    </header>
    <nav class="api-index" aria-label="Groups">${[...groups.keys()].map(
      (tag) => html`<a
      href="#${anchor(tag)}">${tag}</a>`,
    )}</nav>
    ${[...groups].map(
      ([tag, operations]) => html`<section class="api-group"
      id="${anchor(tag)}"><h2>${tag}</h2>${operations.map((one) => operation(one, document))}</section>`,
    )}`,
  )
}

function operationsOf(document: Json): Operation[] {
  return Object.entries(asJson(document.paths)).flatMap(([path, item]) =>
    METHODS.filter((method) => method in asJson(item)).map((method) => ({
      method,
      path,
      spec: asJson(asJson(item)[method]),
    })),
  )
}

/** Its first tag, else the noun of its path. */
function tagOf({ spec, path }: Operation): string {
  const [tag] = asList(spec.tags)
  return asText(tag) || path.replace(/^\/api\/v1\//, '').split('/')[0] || 'other'
}

function anchor(tag: string): string {
  return `api-${tag.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`
}

function operation({ method, path, spec }: Operation, document: Json): Html {
  const parameters = asList(spec.parameters).map((one) => resolve(one, document))
  return html`<details class="operation">
    <summary><span
      class="method method-${method}">${method.toUpperCase()}</span> <code>${path}</code> <span
      class="hint">${prose(spec.summary)}</span></summary>
    <p>${prose(spec.description)}</p>
    ${
      parameters.length > 0 &&
      table(
        'Parameters',
        parameters.map((one) => ({
          name: asText(one.name),
          where: asText(one.in),
          required: one.required === true,
          schema: asJson(one.schema),
          text: asText(one.description),
        })),
        document,
      )
    }
    ${body(spec, document)}
    <h3>Answers</h3>
    <ul class="plain">${Object.entries(asJson(spec.responses)).map(([status, answer]) => html`<li><code>${status}</code> ${asText(resolve(answer, document).description)} ${contentTypes(resolve(answer, document))}</li>`)}</ul>
  </details>`
}

function contentTypes(answer: Json): Html[] {
  return Object.keys(asJson(answer.content)).map((type) => badge(type))
}

function body(spec: Json, document: Json): Html | undefined {
  const [entry] = Object.entries(asJson(resolve(spec.requestBody, document).content))
  if (!entry) return undefined
  const [type, media] = entry
  const schema = resolve(asJson(media).schema, document)
  const required = new Set(asList(schema.required))
  const fields = Object.entries(asJson(schema.properties)).map(([name, one]) => {
    const field = resolve(one, document)
    return {
      name,
      where: 'body',
      required: required.has(name),
      schema: field,
      text: asText(field.description),
    }
  })
  return html`<h3>Body ${badge(type)}</h3>${fields.length > 0 && table('Body', fields, document)}`
}

interface Row {
  readonly name: string
  readonly where: string
  readonly required: boolean
  readonly schema: Json
  readonly text: string
}

function table(name: string, rows: readonly Row[], document: Json): Html {
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="${name}"><table
    class="table">
    <thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Type</th>
    <th scope="col">Meaning</th></tr></thead>
    <tbody>${rows.map(
      (row) => html`<tr><th
      scope="row"><code>${row.name}</code> ${row.required && badge('required', 'accent')}</th>
      <td>${row.where}</td><td>${typeWords(row.schema, document)}</td>
      <td>${row.text}</td></tr>`,
    )}</tbody>
  </table></div>`
}

function typeWords(schema: Json, document: Json): string {
  const one = resolve(schema, document)
  const choices = asList(one.enum)
  if (choices.length > 0) return choices.map((choice) => JSON.stringify(choice)).join(' | ')
  const variants = [...asList(one.anyOf), ...asList(one.oneOf)]
  if (variants.length > 0)
    return variants.map((each) => typeWords(asJson(each), document)).join(' or ')
  if (one.type === 'array') return `list of ${typeWords(asJson(one.items), document)}`
  return asText(one.format) === 'binary' ? 'file' : asText(one.type) || 'any'
}

/** Follows `$ref` inside the document, a few steps deep at most. */
function resolve(value: unknown, document: Json): Json {
  let current = asJson(value)
  for (let steps = 0; steps < 8 && typeof current.$ref === 'string'; steps++) {
    const parts = current.$ref.replace(/^#\//, '').split('/')
    current = parts.reduce<Json>((at, part) => asJson(at[part]), document)
  }
  return current
}

function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Text in which backticks hold code. */
function prose(value: unknown): Html[] {
  const parts = asText(value).split('`')
  return parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
