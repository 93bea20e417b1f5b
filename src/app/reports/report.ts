// The printed report of one result as a PDF. Only small renditions come into this process: the imaging workers make them.
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { findCondition } from '../../registry/conditions/conditions.ts'
import { keptImagePath, type StoredPrediction } from '../../registry/predictions/predictions.ts'
import { preprocessingOf } from '../diagnosis/heatmap-drawing.ts'
import { PRODUCT_VERSION } from '../product.ts'
import type { Uses } from '../services.ts'
import { drawReport, RESEARCH_ONLY } from './draw-report.ts'
import { printable } from './printable.ts'
import { MARGIN, type Sheet, write } from './sheet.ts'

/** Longer side of a picture: 250 points wide at 300 dots an inch. */
const PICTURE_PX = 1040

/** One page unless warnings or classes are many; the same bytes each time. @throws AppError of imaging, `busy` */
export async function reportPdf(
  services: Uses<'db' | 'imaging' | 'store'>,
  stored: StoredPrediction,
): Promise<Uint8Array> {
  const { prediction, expiresAt } = stored
  const condition = await findCondition(services.db, prediction.condition)
  const conditionName = condition?.name ?? prediction.condition
  const pictures = await picturesOf(services, stored)
  // Loaded with the first report: a server that prints none has no use for it.
  const { default: PDFDocument } = await import('pdfkit')
  const doc = new PDFDocument({
    size: 'A4',
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 0 },
    bufferPages: true,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: printable(`${conditionName}: ${prediction.decision.label}`),
      Subject: prediction.id,
      Creator: `Roentgen ${PRODUCT_VERSION}`,
      CreationDate: new Date(prediction.at),
    },
  })
  const written = buffer(doc)
  const sheet: Sheet = { doc, y: MARGIN }
  drawReport(sheet, { prediction, conditionName, expiresAt, ...pictures })
  drawFeet(sheet, prediction.id)
  doc.end()
  return written
}

async function picturesOf(
  services: Uses<'imaging' | 'store'>,
  stored: StoredPrediction,
): Promise<{ image: Uint8Array | undefined; overlaid: Uint8Array | undefined }> {
  const { prediction, heatmap } = stored
  const path = keptImagePath(services, stored)
  const kept = path && (await readFile(path).catch(() => undefined))
  if (!kept) return { image: undefined, overlaid: undefined }
  const image = await services.imaging.print(kept, { maxSide: PICTURE_PX })
  if (!heatmap) return { image, overlaid: undefined }
  const rule = await preprocessingOf(services, prediction.version)
  const overlaid = await services.imaging.print(image, {
    maxSide: PICTURE_PX,
    heatmap: { ...heatmap, ...(rule && { rule }) },
  })
  return { image, overlaid }
}

function drawFeet({ doc }: Sheet, id: string): void {
  const { count } = doc.bufferedPageRange()
  for (let page = 0; page < count; page++) {
    doc.switchToPage(page)
    const foot = { doc, y: 806 }
    const text = `Roentgen ${PRODUCT_VERSION} · ${id} · page ${page + 1} of ${count} · ${RESEARCH_ONLY}`
    write(foot, text, { size: 7, colour: '#5b6670', align: 'center' })
  }
}
