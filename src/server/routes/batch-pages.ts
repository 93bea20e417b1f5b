// The page for many images at once: a form, then a table whose rows arrive while the page loads, with or without scripts.
import { type Context, Hono } from 'hono'
import { batchFormPage, batchPageParts, batchRow } from '../../../views/batch.ts'
import type { ProblemProps } from '../../../views/error.ts'
import { links } from '../../../views/links.ts'
import type { AppEnv } from '../app-env.ts'
import { BatchDesk } from '../batch/batch-desk.ts'
import { openBatch } from '../batch/open-batch.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import {
  findConditionById,
  listChoices,
  problemProps,
  seeOther,
  uploadLimits,
} from '../page-data.ts'
import { CSV_TYPE } from '../prediction-csv.ts'
import { queryText } from '../requests.ts'

export function batchPages(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  const desk = new BatchDesk(home)
  routes.get('/batch', async (c) => c.html(await page(c, {})))
  routes.post('/batch', async (c) => {
    try {
      const { id } = await desk.start(await openBatch(home, c.req.raw))
      return seeOther(c, links.batch(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await page(c, { problem }), problem.status as 422)
    }
  })
  routes.get('/batch/:id', async (c) => {
    const batch = desk.get(c.req.param('id'))
    const condition = await findConditionById(home, batch.condition)
    const parts = batchPageParts({ frame: frameOf(c), batch, condition })
    c.header('Content-Type', 'text/html; charset=utf-8')
    return c.body(streamed(batch.id, { ...parts, total: batch.total }))
  })
  routes.get('/batch/:id/results.csv', (c) => {
    const { csv } = desk.get(c.req.param('id'))
    c.header('Content-Type', CSV_TYPE)
    c.header('Content-Disposition', 'attachment; filename="batch.csv"')
    return c.body(csv)
  })
  return routes

  async function page(c: Context<AppEnv>, { problem }: { problem?: ProblemProps }) {
    return batchFormPage({
      frame: frameOf(c),
      choices: await listChoices(home),
      chosen: queryText(c, 'condition'),
      limits: uploadLimits(home),
      maxZipBytes: home.config.maxImportBytes,
      ...(problem && { problem }),
    })
  }

  function streamed(
    id: string,
    o: { readonly before: string; readonly after: string; readonly total: number },
  ): ReadableStream<Uint8Array> {
    const rows = desk.follow(id)
    const { leaving } = home
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
