// A drawing as a PDF of one page, its text as text: to be searched, read aloud, and edited for a paper.

import type { PlotNode } from './node.ts'
import { FONT_FILES } from './png.ts'
import { svgText } from './sheet.ts'

/** Libraries are loaded with the first one. The same drawing gives the same bytes. */
export async function pdfOf(svg: PlotNode, title: string): Promise<Uint8Array> {
  const { default: PDFDocument } = await import('pdfkit')
  const { default: SVGtoPDF } = await import('svg-to-pdfkit')
  const [, , width = 0, height = 0] = String(svg.attributes.viewBox).split(' ').map(Number)
  const document = new PDFDocument({
    size: [width, height],
    margin: 0,
    info: { Title: title, Creator: 'Roentgen', CreationDate: new Date(0), ModDate: new Date(0) },
    lang: 'en',
  })
  document.registerFont('regular', FONT_FILES.regular)
  document.registerFont('bold', FONT_FILES.bold)
  const chunks: Buffer[] = []
  document.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<void>((resolve, reject) => {
    document.on('end', resolve)
    document.on('error', reject)
  })
  // Its types ask for the class where an instance is meant.
  SVGtoPDF(document as never, svgText(svg), 0, 0, {
    width,
    height,
    assumePt: true,
    fontCallback: (_, bold) => (bold ? 'bold' : 'regular'),
  })
  document.end()
  await ended
  return Buffer.concat(chunks)
}
