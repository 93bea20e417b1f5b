// /api/v1/predict, /compare and /batch: images in, predictions out.
import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'
import { AppError } from '../../errors.ts'
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
      c.header('Content-Type', 'application/x-ndjson')
      return c.body(lines(home, { request, upload, signal: c.req.raw.signal }))
    } catch (error) {
      await upload.dispose()
      throw error
    }
  })
  return routes
}

type BatchRequest = Omit<ReadingRequest, 'image'>

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

/** One line an image, in order; the next image is read while the answer is on its way. */
function lines(
  home: Home,
  batch: { request: BatchRequest; upload: Upload; signal: AbortSignal },
): ReadableStream<Uint8Array> {
  const images = imagesOf(batch.upload)
  let next = 0
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const image = images[next++]
      if (image && !batch.signal.aborted) {
        controller.enqueue(Buffer.from(`${await line(home, { ...batch, image })}\n`))
        return
      }
      await batch.upload.dispose()
      controller.close()
    },
    cancel: () => batch.upload.dispose(),
  })
}

async function line(
  home: Home,
  { request, image, signal }: { request: BatchRequest; image: UploadedFile; signal: AbortSignal },
): Promise<string> {
  try {
    const { maxUploadBytes } = home.config
    if (image.size > maxUploadBytes) throw tooLarge(maxUploadBytes)
    const bytes = await readFile(image.path ?? '')
    const { prediction } = await readWithVersion(home, { ...request, image: bytes, signal })
    return JSON.stringify(prediction)
  } catch (error) {
    const appError = asAppError(error)
    if (appError.code === 'internal') home.log.error({ err: error }, 'an image of a batch failed')
    return JSON.stringify(problemOf(appError))
  }
}
