// /api/v1/predictions/:id/*.dcm: a result as DICOM objects. GET makes an anonymous study; POST with the source file puts them
// into that file's study.
import { type Context, Hono } from 'hono'
import {
  type ExportRequest,
  secondaryCaptureOf,
  structuredReportOf,
} from '../../app/dicom/export/export-prediction.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { getPrediction } from '../../registry/predictions/predictions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { readUpload } from '../http/uploads.ts'

const EXPORTS = {
  'secondary-capture.dcm': secondaryCaptureOf,
  'structured-report.dcm': structuredReportOf,
} as const

export function dicomExportRoutes(
  services: Uses<'config' | 'db' | 'imaging' | 'store'>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  for (const [name, encode] of Object.entries(EXPORTS)) {
    const path = `/api/v1/predictions/:id/${name}` as const
    const answer = async (c: Context<AppEnv>, request: ExportRequest) => {
      const bytes = await encode(services, request)
      c.header('Content-Type', 'application/dicom')
      const { id } = request.stored.prediction
      c.header('Content-Disposition', `attachment; filename="${id}-${name}"`)
      c.header('Cache-Control', 'private, no-store')
      return c.body(new Uint8Array(bytes))
    }
    routes.get(path, async (c) => answer(c, { stored: await storedOf(c) }))
    routes.post(path, async (c) => {
      const stored = await storedOf(c)
      return answer(c, { stored, source: await sourceOf(c) })
    })
  }
  return routes

  function storedOf(c: Context<AppEnv>) {
    return getPrediction(services.db, c.req.param('id') ?? '')
  }

  async function sourceOf(c: Context<AppEnv>): Promise<Uint8Array> {
    const limits = { maxFileBytes: services.config.maxUploadBytes, maxFiles: 2 }
    const { files } = await readUpload(c.req.raw, limits)
    const source = files.find(({ field }) => field === 'source')?.bytes
    if (source) return source
    throw new AppError('image-required', 'Send the DICOM file that was read in the field "source".')
  }
}
