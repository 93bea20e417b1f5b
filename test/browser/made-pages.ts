// Pages that show something only after work was done: a dataset, trainings, an evaluation, comparisons, an import. Made through
// the server's own addresses, on drawn images that are small enough to cost seconds.
import assert from 'node:assert/strict'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import type { StartedServer } from './started-server.ts'

/** A guard only: trainings run at the lowest priority, and a busy machine leaves them little. */
const WAIT_MS = 480_000
const CONDITION = 'pneumonia'
const NAME = 'tiny-cnn-demo'
const A = `${CONDITION}/${NAME}@1`
const B = `${CONDITION}/tiny-mobilenet-demo@1`
const FOLDER = 'drawn'

/** Address by name. `image`: an X-ray to read and to import a model with. */
export async function madePages(
  { url, home }: StartedServer,
  image: Blob,
): Promise<Readonly<Record<string, string>>> {
  const dir = await drawDataset(join(home, 'datasets', FOLDER), 20)
  await rename(join(dir, 'SICK'), join(dir, 'PNEUMONIA'))
  const post = async (path: string, body: object): Promise<Response> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`)
    return answer
  }
  /** Sent as a form would; where it leads to. */
  const form = async (path: string, fields: Record<string, string>, file?: [string, Blob]) => {
    const body = new FormData()
    for (const [name, value] of Object.entries(fields)) body.set(name, value)
    if (file) body.set(file[0], file[1], 'file.onnx')
    const answer = await fetch(`${url}${path}`, { method: 'POST', body, redirect: 'manual' })
    assert.equal(answer.status, 303, `${path}: ${await answer.text()}`)
    return answer.headers.get('location') ?? ''
  }
  const { id } = (await (await post('/datasets/scan', { path: FOLDER })).json()) as { id: string }
  await post(`/datasets/${id}/prepare`, { condition: CONDITION, imageSize: 32 })
  const runs = await form('/training', {
    condition: CONDITION,
    [`dataset:${id}`]: 'on',
    'architecture:tiny_cnn': 'on',
    'architecture:tiny_mobilenet': 'on',
    'preset:quick': 'on',
    epochs: '2',
    batchSize: '8',
    imageSize: '32',
  })
  const [run] = await untilEnded(url)
  const ab = await form('/ab', { a: A, b: B, folder: FOLDER })
  const model = A.replace('@', '/')
  await (await post(`/versions/${model}/evaluate`, { dataset: FOLDER })).text()
  const kept = await fetch(`${url}/api/v1/versions/${model}/evaluations`)
  const { items } = (await kept.json()) as { items: { id: string }[] }
  const graph = join(home, 'models', CONDITION, NAME, 'v1', 'models', `${NAME}.onnx`)
  const foreign = new Blob([await readFile(graph)])
  const blind = await form('/compare', { condition: CONDITION, a: A, b: B, blind: 'on' }, [
    'image',
    image,
  ])
  return {
    dataset: `/datasets/${id}`,
    trainingForm: `/training?dataset=${id}`,
    runs,
    run: `/training/${run}`,
    ab: '/ab',
    abRead: ab,
    evaluated: `/models/${model}`,
    evaluation: `/models/${model}/evaluations/${items[0]?.id}`,
    imported: await form('/models/import', {}, ['package', foreign]),
    blind,
    votes: `/conditions/${CONDITION}/votes`,
    versions: `/models/compare?version=${A}&version=${B}`,
    notifications: '/status/notifications',
  }
}

/** Ids of all runs, once none is under way. @throws when one does not end in time */
async function untilEnded(url: string): Promise<readonly string[]> {
  const deadline = performance.now() + WAIT_MS
  while (performance.now() < deadline) {
    const { items } = (await (await fetch(`${url}/api/v1/runs`)).json()) as {
      items: { id: string; state: string }[]
    }
    if (items.every(({ state }) => state === 'finished')) return items.map(({ id }) => id)
    assert.ok(!items.some(({ state }) => state === 'failed'), JSON.stringify(items))
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('the trainings did not end in time')
}
