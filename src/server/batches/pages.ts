// The page for many images at once: a form, then a table whose rows arrive while the page loads, with or without scripts.

import { type Context, Hono } from 'hono'
import { batchFormPage, batchPageParts, batchRow } from '../../../views/batches/batch.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import type { BatchJobs } from '../../app/batches/batch-job.ts'
import { CSV_TYPE } from '../../app/diagnosis/prediction-csv.ts'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import {
  findConditionById,
  listChoices,
  problemProps,
  seeOther,
  uploadLimits,
} from '../http/page-data.ts'
import { queryText } from '../http/requests.ts'
import { openBatch } from './batch-form.ts'

export function batchPages(
  services: Uses<'config' | 'db' | 'leaving' | 'makeReady' | 'store'> & {
    readonly batches: BatchJobs
  },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  const jobs = services.batches
  routes.get('/batch', async (c) => c.html(await page(c, {})))
  routes.post('/batch', async (c) => {
    try {
      const { id } = await jobs.start(await openBatch(services, c.req.raw), c.var.actor)
      return seeOther(c, links.batch(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await page(c, { problem }), problem.status as 422)
    }
  })
  routes.get('/batch/:id', async (c) => {
    const batch = jobs.get(c.req.param('id'))
    const condition = await findConditionById(services, batch.condition)
    const parts = batchPageParts({ frame: frameOf(c), batch, condition })
    c.header('Content-Type', 'text/html; charset=utf-8')
    return c.body(streamed(batch.id, { ...parts, total: batch.total }))
  })
  routes.get('/batch/:id/results.csv', (c) => {
    const { csv } = jobs.get(c.req.param('id'))
    c.header('Content-Type', CSV_TYPE)
    c.header('Content-Disposition', 'attachment; filename="batch.csv"')
    return c.body(csv)
  })
  return routes

  async function page(c: Context<AppEnv>, { problem }: { problem?: ProblemProps }) {
    return batchFormPage({
      frame: frameOf(c),
      choices: await listChoices(services),
      chosen: queryText(c, 'condition'),
      limits: uploadLimits(services),
      maxZipBytes: services.config.maxImportBytes,
      ...(problem && { problem }),
    })
  }

  function streamed(
    id: string,
    o: { readonly before: string; readonly after: string; readonly total: number },
  ): ReadableStream<Uint8Array> {
    const rows = jobs.follow(id)
    const { leaving } = services
    return new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from(o.before))
      },
      async pull(controller) {
        const next = leaving.aborted ? { done: true as const } : await rows.next()
        if (next.done) {
          controller.enqueue(Buffer.from(o.after))
          controller.close()
        } else controller.enqueue(Buffer.from(String(batchRow(next.value, o.total))))
      },
      async cancel() {
        await rows.return(undefined)
      },
    })
  }
}
