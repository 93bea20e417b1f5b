// What stands on the printed report of one result, from top to bottom. Text stays text, so that it can be searched and read
// aloud; the two pictures come ready made.

import { methodName } from '../../../views/shared/explanations.ts'
import { operatingPointName, percent, score, timestamp } from '../../../views/shared/format.ts'
import { LEGEND_STOPS, overlayOpacity } from '../../../views/shared/viewer.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import {
  FAINT,
  FINDING,
  fact,
  heading,
  INK,
  LINE,
  MARGIN,
  makeRoom,
  paragraph,
  type Sheet,
  WIDTH,
  write,
} from './sheet.ts'

export const RESEARCH_ONLY = 'Research use only. Not a medical device. Clinical judgement required.'

export interface Report {
  readonly prediction: Prediction
  readonly conditionName: string
  readonly expiresAt: string
  /** JPEGs; undefined when the image is no longer kept, or there is no heatmap. */
  readonly image: Uint8Array | undefined
  readonly overlaid: Uint8Array | undefined
}

export function drawReport(sheet: Sheet, report: Report): void {
  const { prediction } = report
  drawHead(sheet, report)
  drawPictures(sheet, report)
  drawDecision(sheet, prediction)
  drawScores(sheet, prediction)
  drawWarnings(sheet, prediction)
  drawProvenance(sheet, report)
}

function drawHead(sheet: Sheet, { prediction, conditionName }: Report): void {
  write(sheet, timestamp(prediction.at), { size: 9, colour: FAINT, align: 'right' })
  paragraph(sheet, `Roentgen: ${conditionName}`, { size: 16, font: 'bold', width: WIDTH - 150 })
  sheet.y += 2
  paragraph(sheet, `Result ${prediction.id}`, { size: 8, colour: FAINT })
  sheet.y += 4
  const { notice } = prediction
  for (const text of [RESEARCH_ONLY, ...(notice ? [notice] : [])]) {
    paragraph(sheet, text, { size: 9, font: 'bold', colour: FINDING })
  }
  sheet.y += 6
}

const PICTURE_WIDTH = (WIDTH - 12) / 2
const PICTURE_HEIGHT = 225

function drawPictures(sheet: Sheet, { prediction, image, overlaid }: Report): void {
  const { heatmap } = prediction
  if (!image) {
    paragraph(sheet, 'The image is no longer stored; the result below is unchanged.', {
      colour: FAINT,
    })
    return
  }
  const { doc, y } = sheet
  const right = MARGIN + PICTURE_WIDTH + 12
  drawPicture(sheet, { picture: image, x: MARGIN })
  if (overlaid) drawPicture(sheet, { picture: overlaid, x: right })
  sheet.y = y + PICTURE_HEIGHT + 4
  write(sheet, 'Analysed image', { size: 8, colour: FAINT, width: PICTURE_WIDTH })
  if (!heatmap || !overlaid) {
    sheet.y += 14
    return
  }
  const about = { size: 8, colour: FAINT, x: right, width: PICTURE_WIDTH }
  const layer = heatmap.layer ? `, layer ${heatmap.layer}` : ''
  const title = `Evidence for ${heatmap.target} (${methodName(heatmap.method)}${layer})`
  sheet.y += write(sheet, heatmap.weak ? `${title}: weak, do not use it to localise` : title, about)
  const gradient = doc.linearGradient(right, 0, right + PICTURE_WIDTH, 0)
  for (const [evidence, colour] of LEGEND_STOPS) gradient.stop(evidence, onBlack(colour, evidence))
  doc.rect(right, sheet.y + 2, PICTURE_WIDTH, 6).fill(gradient)
  sheet.y += 10
  const most = heatmap.scale === undefined ? 'strong' : `strong (${score(heatmap.scale)} or more)`
  write(sheet, most, { ...about, align: 'right' })
  sheet.y += write(sheet, 'none', about)
}

function drawPicture(
  { doc, y }: Sheet,
  { picture, x }: { readonly picture: Uint8Array; readonly x: number },
): void {
  doc.rect(x, y, PICTURE_WIDTH, PICTURE_HEIGHT).fill('#000000')
  doc.image(Buffer.from(picture), x, y, {
    fit: [PICTURE_WIDTH, PICTURE_HEIGHT],
    align: 'center',
    valign: 'center',
  })
}

/** The overlay's colour as it looks on a black film. */
function onBlack(colour: string, evidence: number): string {
  const parts = colour.slice(1).match(/../g) ?? []
  const mixed = parts.map((hex) => Math.round(Number.parseInt(hex, 16) * overlayOpacity(evidence)))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

function drawDecision(sheet: Sheet, { decision }: Prediction): void {
  heading(sheet, 'Decision')
  const state = decision.positive ? 'positive finding' : 'no positive finding'
  const colour = decision.positive ? FINDING : INK
  paragraph(sheet, `${decision.label} (${state})`, { size: 14, font: 'bold', colour })
  sheet.y += 1
  const rule =
    decision.threshold === null ? 'most probable class' : `threshold ${percent(decision.threshold)}`
  paragraph(sheet, `Operating point ${operatingPointName(decision.operatingPoint)}: ${rule}`, {
    colour: FAINT,
  })
}

const ROW = 14
const COLUMNS = { bar: MARGIN + 120, percent: 330, raw: 410, logit: 490 } as const
const BAR_WIDTH = 185

function drawScores(sheet: Sheet, prediction: Prediction): void {
  const { classes, decision, calibration } = prediction
  const { doc } = sheet
  heading(sheet, calibration ? 'Calibrated probability' : 'Score (not calibrated)')
  const small = { size: 8, colour: FAINT, width: 65, align: 'right' } as const
  sheet.y -= 14
  write(sheet, 'probability', { ...small, x: COLUMNS.percent })
  write(sheet, 'raw score', { ...small, x: COLUMNS.raw })
  sheet.y += write(sheet, 'logit', { ...small, x: COLUMNS.logit }) + 5
  for (const one of classes.toSorted((a, b) => b.probability - a.probability)) {
    makeRoom(sheet, ROW)
    const threshold = decision.findings.find(({ label }) => label === one.label)?.threshold ?? null
    const top = sheet.y + 1.5
    doc.rect(COLUMNS.bar, top, BAR_WIDTH, 6).fill('#e6eaed')
    doc.rect(COLUMNS.bar, top, BAR_WIDTH * one.probability, 6).fill('#86a5bb')
    if (threshold !== null) {
      doc.rect(COLUMNS.bar + BAR_WIDTH * threshold - 0.5, top - 2, 1, 10).fill(INK)
    }
    const number = { size: 9, width: 65, align: 'right' } as const
    write(sheet, percent(one.probability), { ...number, font: 'bold', x: COLUMNS.percent })
    write(sheet, score(one.uncalibrated), { ...number, x: COLUMNS.raw })
    write(sheet, score(one.logit), { ...number, x: COLUMNS.logit })
    const height = write(sheet, one.label, { size: 9, width: 115 })
    sheet.y += Math.max(ROW, height + 3)
  }
  paragraph(
    sheet,
    'The vertical mark is the threshold. Raw scores are not probabilities of disease.',
    {
      size: 8,
      colour: FAINT,
    },
  )
}

function drawWarnings(sheet: Sheet, { warnings, notice }: Prediction): void {
  const plain = (text: string) => text.toLowerCase().replace(/\.$/, '')
  const others = warnings.filter((text) => plain(text) !== plain(notice ?? ''))
  if (others.length === 0) return
  heading(sheet, 'Warnings')
  for (const text of others) paragraph(sheet, `• ${text}`, { font: 'bold' })
}

function drawProvenance(sheet: Sheet, { prediction, conditionName, expiresAt }: Report): void {
  const { image, familiarity, calibration } = prediction
  heading(sheet, 'How this result was produced')
  sheet.doc.rect(MARGIN, sheet.y - 2, WIDTH, 0.5).fill(LINE)
  sheet.y += 2
  const tags = image.passport?.tags.map(({ name, value }) => `${name} ${value}`).join(' · ')
  const facts: readonly { name: string; value: string | undefined; mono?: boolean }[] = [
    { name: 'Condition', value: `${conditionName} (${prediction.condition})` },
    { name: 'Version', value: `${prediction.version} (${prediction.role})` },
    { name: 'Package SHA-256', value: prediction.sha256, mono: true },
    { name: 'Image', value: `${image.width} × ${image.height} pixels, ${image.format}` },
    { name: 'Image SHA-256', value: image.sha256, mono: true },
    { name: 'Pixels', value: image.passport?.steps.join(' · ') },
    { name: 'DICOM header', value: tags },
    { name: 'Preprocessing', value: prediction.preprocessing, mono: true },
    {
      name: 'Calibration',
      value: calibration
        ? `${calibration.method}, T = ${score(calibration.temperature)}; expected calibration error ` +
          `${score(calibration.eceBefore)} before, ${score(calibration.eceAfter)} after`
        : 'none: raw scores',
    },
    {
      name: 'Similarity to training data',
      value: familiarity
        ? familiarity.outOfDistribution
          ? 'outside the range'
          : 'in range'
        : 'not available for this version',
    },
    { name: 'Precision', value: prediction.precision },
    { name: 'Activation', value: prediction.activation ?? undefined },
    { name: 'Analysed', value: timestamp(prediction.at) },
    { name: 'Stored until', value: timestamp(expiresAt) },
  ]
  for (const one of facts) fact(sheet, one)
}
