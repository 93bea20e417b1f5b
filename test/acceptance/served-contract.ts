// A started server with packages in its store, and short ways to ask it, for the tests of the contract.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ActivationSchema } from '../../src/server/conditions/schema.ts'
import { ProblemSchema } from '../../src/server/operations/problem-schema.ts'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import {
  type Folders,
  homeFolders,
  type ImageForm,
  imageForm,
  jsonBody,
  type ServedHome,
  type StoredPackage,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'

export interface Started extends ServedHome {
  readonly folders: Folders
  call(path: string, init?: RequestInit): Promise<Response>
  post(path: string, body: unknown, method?: string): Promise<Response>
  send(path: string, form: ImageForm): Promise<Response>
}

export async function started(
  t: TestContext,
  { packages = [], env = {} }: { packages?: readonly StoredPackage[]; env?: Folders['env'] } = {},
): Promise<Started> {
  const made = await homeFolders(t)
  const folders = { ...made, env: { ...made.env, ...env } }
  for (const one of packages) await storePackage(folders, one)
  const served = await servedHome(folders)
  await untilReady(served.url)
  const call = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`${served.url}${path}`, init)
  return {
    ...served,
    folders,
    call,
    post: (path, body, method) => call(path, jsonBody(body, method)),
    send: (path, form) => call(path, { method: 'POST', body: imageForm(form) }),
  }
}

/** The activation that a 200 holds. */
export async function activationOf(response: Response) {
  const json = await response.json()
  assert.equal(response.status, 200, JSON.stringify(json))
  return ActivationSchema.parse(json)
}

export async function predictionOf(response: Response) {
  const json = await response.json()
  assert.equal(response.status, 200, JSON.stringify(json))
  return PredictionSchema.parse(json)
}

/** Checks all that a problem document must be, and that it gives nothing of this machine away. */
export async function assertProblem(
  response: Response,
  expected: { status: number; code?: string },
): Promise<void> {
  const text = await response.text()
  assert.equal(response.status, expected.status, text)
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  const problem = ProblemSchema.parse(JSON.parse(text))
  assert.equal(problem.status, expected.status)
  if (expected.code) assert.equal(problem.code, expected.code, text)
  assert.match(problem.detail, /\.$/, 'a whole sentence')
  assert.doesNotMatch(text, /node_modules|\.ts:|\bat \w+ \(|\/tmp\/|\/home\//)
  if (problem.status === 503) assert.ok(Number(response.headers.get('retry-after')) > 0)
}
