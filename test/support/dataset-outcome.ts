// What became of a scan or preparation, also on a machine that is too busy to answer with it at once.
import assert from 'node:assert/strict'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import { jsonOf } from './home.ts'
import { sentEvents } from './sse.ts'

type Call = (path: string, init?: RequestInit) => Promise<Response>

/** An answer of 202 goes on as a job, whose end is waited for. */
export async function outcome(call: Call, answer: Response): Promise<Dataset> {
  assert.ok([200, 202].includes(answer.status), await answer.clone().text())
  const { id } = await jsonOf<Dataset>(answer)
  if (answer.status === 202) {
    const { items } = await jsonOf<{ items: { links: { events: string } }[] }>(
      await call('/api/v1/jobs?limit=1'),
    )
    for await (const _ of sentEvents(await call(items[0]?.links.events ?? '')));
  }
  return jsonOf<Dataset>(await call(`/api/v1/datasets/${id}`))
}
