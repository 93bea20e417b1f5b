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
import { bytes, operation } from '../operations/operation.ts'
import { IdParams } from '../operations/shared-schemas.ts'
import { SourceForm } from './schema.ts'

const EXPORTS = [
  {
    name: 'secondary-capture.dcm',
    encode: secondaryCaptureOf,
    summary: 'The image with its heatmap burnt in, as DICOM Secondary Capture',
    unknown: 'unknown-prediction, not-found: it has no heatmap',
  },
  {
    name: 'structured-report.dcm',
    encode: structuredReportOf,
    summary: 'Findings, probabilities and version as a DICOM structured report (TID 1500)',
    unknown: 'unknown-prediction',
  },
] as const

const GONE = [410, 'gone: it has expired'] as const

export function dicomExportRoutes(
  services: Uses<'config' | 'db' | 'imaging' | 'store'>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  for (const { name, encode, summary, unknown } of EXPORTS) {
    const answer = async (c: Context<AppEnv>, request: ExportRequest) => {
      const encoded = await encode(services, request)
      c.header('Content-Type', 'application/dicom')
      const { id } = request.stored.prediction
      c.header('Content-Disposition', `attachment; filename="${id}-${name}"`)
      c.header('Cache-Control', 'private, no-store')
      return c.body(new Uint8Array(encoded))
    }
    const shared = {
      path: `/api/v1/predictions/:id/${name}`,
      tag: 'predictions',
      params: IdParams,
      answers: { 200: bytes('application/dicom', 'The object') },
    }
    operation(
      routes,
      {
        ...shared,
        method: 'get',
        summary,
        description: 'The object names nobody and makes a study of its own.',
        errors: [[404, unknown], GONE],
      },
      async ({ c, params: { id } }) => answer(c, { stored: await getPrediction(services.db, id) }),
    )
    operation(
      routes,
      {
        ...shared,
        method: 'post',
        summary: `${summary}, in the study of its source`,
        description:
          'Patient and study are taken over from the source, which must be the very file that was read; nothing of it is kept.',
        form: SourceForm,
        errors: [[404, unknown], GONE, [422, 'image-required, invalid']],
      },
      async ({ c, params: { id } }) => {
        const stored = await getPrediction(services.db, id)
        return answer(c, { stored, source: await sourceOf(c) })
      },
    )
  }
  return routes

  async function sourceOf(c: Context<AppEnv>): Promise<Uint8Array> {
    const limits = { maxFileBytes: services.config.maxUploadBytes, maxFiles: 2 }
    const { files } = await readUpload(c.req.raw, limits)
    const source = files.find(({ field }) => field === 'source')?.bytes
    if (source) return source
    throw new AppError('image-required', 'Send the analysed DICOM file in the field "source".')
  }
}
