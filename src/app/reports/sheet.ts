// A sheet of A4 that is filled from top to bottom: where the next thing goes, and a new page when there is no room for it.
// Lengths are points (1/72 inch). What a report says is in draw-report.ts.
import { printable } from './printable.ts'

export const MARGIN = 40
export const WIDTH = 595.28 - 2 * MARGIN
const BOTTOM = 841.89 - 46

export const INK = '#1c2126'
export const FAINT = '#5b6670'
export const LINE = '#c9d0d6'
export const FINDING = '#9a2b12'

const FONTS = { plain: 'Helvetica', bold: 'Helvetica-Bold', mono: 'Courier' } as const

export interface Sheet {
  readonly doc: PDFKit.PDFDocument
  /** Where the next thing goes. */
  y: number
}

export interface TextStyle {
  readonly size?: number
  readonly font?: keyof typeof FONTS
  readonly colour?: string
  /** Left edge and width; the whole sheet's by default. */
  readonly x?: number
  readonly width?: number
  readonly align?: 'left' | 'right' | 'center'
}

/** Begins a new page when fewer than `height` points are left. */
export function makeRoom(sheet: Sheet, height: number): void {
  if (sheet.y + height <= BOTTOM) return
  sheet.doc.addPage()
  sheet.y = MARGIN
}

/** Writes at `y` without moving on; returns the height that it took. */
export function write(sheet: Sheet, text: string, style: TextStyle = {}): number {
  const { doc, y } = sheet
  const { x = MARGIN, width = WIDTH, align = 'left' } = style
  const words = printable(text)
  setFont(sheet, style)
  const height = doc.heightOfString(words, { width })
  doc.fillColor(style.colour ?? INK).text(words, x, y, { width, align })
  return height
}

/** Writes a paragraph and moves below it. */
export function paragraph(sheet: Sheet, text: string, style: TextStyle = {}): void {
  setFont(sheet, style)
  makeRoom(sheet, sheet.doc.heightOfString(printable(text), { width: style.width ?? WIDTH }))
  sheet.y += write(sheet, text, style)
}

export function heading(sheet: Sheet, text: string): void {
  makeRoom(sheet, 40)
  sheet.y += 9
  sheet.y += write(sheet, text, { size: 10, font: 'bold' }) + 3
}

/** A name and its value, side by side; nothing for a value that there is not. */
export function fact(
  sheet: Sheet,
  { name, value, mono = false }: { name: string; value: string | undefined; mono?: boolean },
): void {
  if (!value) return
  const style = {
    size: 8,
    x: MARGIN + 96,
    width: WIDTH - 96,
    font: mono ? 'mono' : 'plain',
  } as const
  setFont(sheet, style)
  makeRoom(sheet, sheet.doc.heightOfString(printable(value), { width: style.width }))
  write(sheet, name, { size: 8, colour: FAINT, width: 92 })
  sheet.y += write(sheet, value, style) + 1.5
}

function setFont({ doc }: Sheet, { font = 'plain', size = 9 }: TextStyle): void {
  doc.font(FONTS[font]).fontSize(size)
}
