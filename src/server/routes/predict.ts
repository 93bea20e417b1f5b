// /api/v1/predict, /compare and /batch: images in, predictions out.
import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { AppError } from '../../errors.ts'
import { getCondition } from '../../registry/conditions.ts'
import type { AppEnv } from '../app-env.ts'
import { compareVersions } from '../comparing.ts'
import type { Home } from '../home.ts'
import {
  conditionRequired,
  explainOf,
  fieldOf,
  imagesOf,
  readImageFields,
  requiredField,
} from '../image-fields.ts'
import { CSV_TYPE, type CsvEntry, predictionCsv } from '../prediction-csv.ts'
import { asAppError, problemOf } from '../problem.ts'
import { checkAnswerable, type ReadingRequest, readWithVersion } from '../reading.ts'
import { readUpload, tooLarge, type Upload, type UploadedFile } from '../uploads.ts'

const MAX_BATCH = 1000

export function predictRoutes(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.post('/api/v1/predict', async (c) => {
    const { fields, ...image } = await readImageFields(home, { request: c.req.raw, isPage: false })
    const version = fieldOf(fields, 'version')
    const request = { ...image, version, signal: c.req.raw.signal }
    const { prediction } = await readWithVersion(home, request)
    c.header('X-Roentgen-Version', prediction.version)
    return c.json(prediction)
  })
  routes.post('/api/v1/compare', async (c) => {
    const { fields, ...image } = await readImageFields(home, { request: c.req.raw, isPage: false })
    const [a, b] = [requiredField(fields, 'a'), requiredField(fields, 'b')]
    const request = { ...image, a, b, signal: c.req.raw.signal }
    const { note: _, ...comparison } = await compareVersions(home, request)
    return c.json(comparison)
  })
  routes.post('/api/v1/batch', async (c) => {
    const spoolDir = home.store.stagingDir
    const limits = {
      maxFileBytes: home.config.maxUploadBytes,
      maxFiles: MAX_BATCH,
      spoolDir,
      keepsOversized: true,
    }
    const upload = await readUpload(c.req.raw, limits)
    try {
      const request = await batchRequest(home, upload)
      const format = await formatOf(home, { c, condition: request.condition })
      c.header('Content-Type', format.type)
      c.header('Vary', 'Accept')
      return c.body(lines(home, { request, format, upload, signal: c.req.raw.signal }))
    } catch (error) {
      await upload.dispose()
      throw error
    }
  })
  return routes
}

type BatchRequest = Omit<ReadingRequest, 'image'>

const NDJSON = 'application/x-ndjson'

/** How a batch is written: what comes first, and what for each image. */
interface BatchFormat {
  readonly type: string
  readonly header: string
  line(entry: CsvEntry): string
}

/** Lines of JSON, or a table when the client asks for one. */
async function formatOf(
  home: Home,
  { c, condition }: { readonly c: Context<AppEnv>; readonly condition: string },
): Promise<BatchFormat> {
  const supports = [NDJSON, 'text/csv']
  if (accepts(c, { header: 'Accept', supports, default: NDJSON }) === NDJSON) {
    return { type: NDJSON, header: '', line: ({ result }) => `${JSON.stringify(result)}\n` }
  }
  const { classes } = await getCondition(home.db, condition)
  return { type: CSV_TYPE, ...predictionCsv(classes.map(({ label }) => label)) }
}

/** What holds for every image is checked before the first line is sent. */
async function batchRequest(home: Home, upload: Upload): Promise<BatchRequest> {
  const { fields } = upload
  const condition = fieldOf(fields, 'condition')
  if (!condition) throw conditionRequired()
  if (imagesOf(upload).length === 0) {
    throw new AppError('image-required', 'Send one or more images as files in the field "image".')
  }
  const version = fieldOf(fields, 'version')
  return {
    condition: await checkAnswerable(home, { condition, version }),
    version,
    operatingPoint: fieldOf(fields, 'operatingPoint'),
    explain: explainOf(fields),
    layer: fieldOf(fields, 'layer'),
    target: fieldOf(fields, 'target'),
  }
}

interface Batch {
  readonly request: BatchRequest
  readonly format: BatchFormat
  readonly upload: Upload
  readonly signal: AbortSignal
}

/** One line an image, in order; the next image is read while the answer is on its way. */
function lines(home: Home, batch: Batch): ReadableStream<Uint8Array> {
  const { format, signal, upload } = batch
  const images = imagesOf(upload)
  let n = 0
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (format.header) controller.enqueue(Buffer.from(format.header))
    },
    async pull(controller) {
      const image = images[n++]
      if (image && !signal.aborted) {
        const result = await readOne(home, { ...batch, image })
        controller.enqueue(Buffer.from(format.line({ n, file: image.fileName, result })))
        return
      }
      await upload.dispose()
      controller.close()
    },
    cancel: () => upload.dispose(),
  })
}

async function readOne(
  home: Home,
  { request, image, signal }: Batch & { readonly image: UploadedFile },
): Promise<CsvEntry['result']> {
  try {
    const { maxUploadBytes } = home.config
    if (image.size > maxUploadBytes) throw tooLarge(maxUploadBytes)
    const bytes = await readFile(image.path ?? '')
    return (await readWithVersion(home, { ...request, image: bytes, signal })).prediction
  } catch (error) {
    const appError = asAppError(error)
    if (appError.code === 'internal') home.log.error({ err: error }, 'an image of a batch failed')
    return problemOf(appError)
  }
}
