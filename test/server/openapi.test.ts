// The description of the API and its routes are one and the same list.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createApp } from '../../src/server/app.ts'
import { apiDocument } from '../../src/server/system/api-document.ts'
import { homeFolders, jsonOf, openedHome, TOKEN } from '../support/home.ts'

/** Not for programs: the page that shows the document. */
const PAGES = new Set(['get /api/docs'])

test('every route of the API is in the OpenAPI document, and nothing else is', async (t) => {
  const { home } = await openedHome(await homeFolders(t))
  const app = createApp(home, { token: TOKEN })
  const routes = app.routes
    .filter(
      ({ method, path }) =>
        method !== 'ALL' && /^\/(api|dicomweb|healthz|readyz|metrics)/.test(path),
    )
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    .filter((route) => !PAGES.has(route))
  const { paths } = (await apiDocument(app)) as {
    paths: Record<string, Record<string, unknown>>
  }
  const described = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  )
  assert.deepEqual([...new Set(routes)].sort(), described.sort())
})

test('the document resolves every reference that it makes, and is served as it is', async (t) => {
  const { call } = await openedHome(await homeFolders(t))
  const document = await jsonOf(await call('/api/v1/openapi.json'))
  const text = JSON.stringify(document)
  const { schemas } = document.components as { schemas: Record<string, unknown> }
  const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? '')
  assert.ok(names.length > 10)
  for (const name of names) assert.ok(schemas[name], name)
  assert.match(await (await call('/api/docs')).text(), /\/api\/v1\/predict/)
})
