// A stored result as DICOM objects for an archive. Nothing of a patient is stored with a result, so that only somebody who
// brings the source file along gets objects of its study; others get an anonymous one.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { AppError } from '../../../errors.ts'
import { findCondition } from '../../../registry/conditions/conditions.ts'
import { keptImagePath, type StoredPrediction } from '../../../registry/predictions/predictions.ts'
import { preprocessingOf } from '../../diagnosis/heatmap-drawing.ts'
import type { Uses } from '../../services.ts'
import { encodeSecondaryCapture } from './secondary-capture.ts'
import { encodeStructuredReport } from './structured-report.ts'
import type { ExportSubject } from './subject.ts'

export interface ExportRequest {
  readonly stored: StoredPrediction
  /** The very file that the result was made from; its patient and study are taken over. */
  readonly source?: Uint8Array | undefined
}

/** @throws AppError `not-found` without a heatmap, `gone` without the image, those of the source as `subjectOf` */
export async function secondaryCaptureOf(
  services: Uses<'db' | 'imaging' | 'store'>,
  request: ExportRequest,
): Promise<Uint8Array> {
  const { prediction, heatmap } = request.stored
  if (!heatmap) {
    throw new AppError('not-found', 'This result has no heatmap to burn in: none was requested.')
  }
  const path = keptImagePath(services, request.stored)
  const kept = path && (await readFile(path).catch(() => undefined))
  if (!kept) throw new AppError('gone', 'The image is no longer kept.')
  const subject = await subjectOf(services, request)
  const rule = await preprocessingOf(services, prediction.version)
  const { width, height } = prediction.image
  const map = { ...heatmap, width, height, ...(rule && { rule }) }
  return encodeSecondaryCapture(subject, await services.imaging.burn(kept, map))
}

/** @throws AppError those of the source as `subjectOf` */
export async function structuredReportOf(
  services: Uses<'db' | 'imaging'>,
  request: ExportRequest,
): Promise<Uint8Array> {
  return encodeStructuredReport(await subjectOf(services, request))
}

/** @throws AppError `invalid` when the source is another file than the one that was read or names no study */
async function subjectOf(
  services: Uses<'db' | 'imaging'>,
  { stored, source }: ExportRequest,
): Promise<ExportSubject> {
  const { prediction } = stored
  const condition = await findCondition(services.db, prediction.condition)
  const conditionName = condition?.name ?? prediction.condition
  if (!source) return { prediction, conditionName, identity: undefined }
  if (createHash('sha256').update(source).digest('hex') !== prediction.image.sha256) {
    throw new AppError(
      'invalid',
      'This is not the file of this result; send the original file as "source".',
      { extra: { field: 'source' } },
    )
  }
  if (prediction.image.format !== 'dicom') {
    throw new AppError(
      'invalid',
      'The source must be the DICOM file that was analysed; other files have no study.',
    )
  }
  return { prediction, conditionName, identity: await services.imaging.identify(source) }
}
