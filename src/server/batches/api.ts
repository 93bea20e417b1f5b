// /api/v1/batch: many images in, a line for each out, in order, as they are done.

import { type Context, Hono } from 'hono'
import { accepts } from 'hono/accepts'
import type { Batch } from '../../app/batches/batch-item.ts'
import { predictItem } from '../../app/batches/predict-item.ts'
import { CSV_TYPE, type CsvEntry, predictionCsv } from '../../app/diagnosis/prediction-csv.ts'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { lines as jsonLines, operation } from '../operations/operation.ts'
import { openBatch } from './batch-form.ts'
import { BatchForm, BatchLineSchema } from './schema.ts'

export function batchRoutes(
  services: Uses<
    'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'makeReady' | 'metrics' | 'runtime' | 'store'
  > & { readonly shadow: Shadow },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/batch',
      tag: 'predict',
      summary: 'Predict on several images',
      description:
        'Images, a zip of them, or a folder below the data root. One line of JSON for each image, in order, sent as they are ' +
        'done: a Prediction or a Problem, with its name in "file" where it comes from a zip or folder. With Accept: text/csv ' +
        'a table with a header line instead.',
      form: BatchForm,
      answers: {
        200: {
          ...jsonLines(BatchLineSchema, 'A line for each image'),
          alsoAs: ['text/csv'],
          headers: { 'X-Roentgen-Images': 'how many lines there will be' },
        },
      },
      errors: [
        [404, 'unknown-condition, unknown-version, unknown-dataset: no such folder'],
        [409, 'no-active-version'],
        [413, 'upload-too-large, too-many-pixels'],
        [422, 'condition-required, image-required, invalid: the zip or the folder'],
      ],
    },
    async ({ c }) => {
      const batch = await openBatch(services, c.req.raw)
      try {
        const format = await formatOf(services, { c, batch })
        c.header('Content-Type', format.type)
        c.header('Vary', 'Accept')
        c.header('X-Roentgen-Images', String(batch.items.length))
        return c.body(lines(services, { batch, format, signal: c.req.raw.signal }))
      } catch (error) {
        await batch.close()
        throw error
      }
    },
  )
  return routes
}

const NDJSON = 'application/x-ndjson'

/** How a batch is written: what comes first, and what for each image. */
interface BatchFormat {
  readonly type: string
  readonly header: string
  line(entry: CsvEntry): string
}

/** Lines of JSON, or a table when the client asks for one. */
async function formatOf(
  services: Uses<'db'>,
  { c, batch }: { readonly c: Context<AppEnv>; readonly batch: Batch },
): Promise<BatchFormat> {
  const supports = [NDJSON, 'text/csv']
  if (accepts(c, { header: 'Accept', supports, default: NDJSON }) === NDJSON) {
    const line = ({ file, result }: CsvEntry) =>
      `${JSON.stringify(batch.isNamed ? { ...result, file } : result)}\n`
    return { type: NDJSON, header: '', line }
  }
  const { classes } = await getCondition(services.db, batch.request.condition)
  return { type: CSV_TYPE, ...predictionCsv(classes.map(({ label }) => label)) }
}

interface Writing {
  readonly batch: Batch
  readonly format: BatchFormat
  readonly signal: AbortSignal
}

/** The next image is read while the answer is on its way. */
function lines(
  services: Uses<
    'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'makeReady' | 'metrics' | 'runtime' | 'store'
  > & { readonly shadow: Shadow },
  { batch, format, signal }: Writing,
): ReadableStream<Uint8Array> {
  let n = 0
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (format.header) controller.enqueue(Buffer.from(format.header))
    },
    async pull(controller) {
      const item = batch.items[n++]
      if (item && !signal.aborted) {
        const result = await predictItem(services, { request: batch.request, item, signal })
        controller.enqueue(Buffer.from(format.line({ n, file: item.name, result })))
        return
      }
      await batch.close()
      controller.close()
    },
    cancel: () => batch.close(),
  })
}
