// Foreign models through the API of a test's own home: sent, activated, asked.
import assert from 'node:assert/strict'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { VersionSchema } from '../../src/server/versions/schema.ts'
import { imageForm, jsonBody, jsonOf, type OpenedHome } from './home.ts'

export async function send(
  { call }: OpenedHome,
  { file, name, fields }: { file: Blob; name: string; fields: Record<string, string> },
): Promise<Response> {
  const form = imageForm(fields)
  form.set('package', file, name)
  return call('/api/v1/versions/import', { method: 'POST', body: form })
}

/** Imports, activates with force (nothing was measured), and returns the version's id. */
export async function imported(
  opened: OpenedHome,
  options: { file: Blob; name: string; fields: Record<string, string> },
): Promise<string> {
  const response = await send(opened, options)
  const body = await response.json()
  assert.equal(response.status, 201, JSON.stringify(body))
  const version = VersionSchema.parse(body)
  assert.equal(version.status, 'unevaluated')
  assert.equal(version.metrics, null)
  const activate = `/api/v1/conditions/${version.condition}/activate`
  const unforced = await opened.call(activate, jsonBody({ version: version.id, reason: 'try' }))
  assert.equal((await jsonOf(unforced)).code, 'unevaluated')
  const forced = { version: version.id, reason: 'try', force: true }
  assert.equal((await opened.call(activate, jsonBody(forced))).status, 200)
  return version.id
}

export async function predict(
  { call }: OpenedHome,
  { explain = 'none', ...form }: { condition: string; image: Uint8Array; explain?: string },
) {
  const body = imageForm({ ...form, explain })
  const response = await call('/api/v1/predict', { method: 'POST', body })
  const json = await response.json()
  assert.equal(response.status, 200, JSON.stringify(json))
  return PredictionSchema.parse(json)
}

export function largestDifference(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length)
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))))
}
