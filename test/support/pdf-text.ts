// The text of a PDF that pdfkit wrote: what its content streams show, in their order, without places. Not for other PDFs.
import { inflateSync } from 'node:zlib'

export function pdfText(pdf: Uint8Array): string {
  const file = Buffer.from(pdf).toString('latin1')
  const streams = file.matchAll(/\/FlateDecode[^>]*>>\s*stream\r?\n([\s\S]*?)\r?\nendstream/g)
  return [...streams].map(([, packed = '']) => shown(unpack(packed))).join('\n')
}

function unpack(packed: string): string {
  try {
    return inflateSync(Buffer.from(packed, 'latin1')).toString('latin1')
  } catch {
    return ''
  }
}

/** Each `[<6869> 120 <6a>] TJ` is a line. */
function shown(content: string): string {
  const lines = [...content.matchAll(/\[([^\]]*)\]\s*TJ/g)].map(([, parts = '']) =>
    [...parts.matchAll(/<([0-9a-f]*)>/gi)]
      .map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1'))
      .join(''),
  )
  return lines.join('\n')
}

/** The same of a PDF whose fonts are embedded, drawn glyph by glyph: each piece of text is a line. */
export function embeddedPdfText(pdf: Uint8Array): string {
  const file = Buffer.from(pdf).toString('latin1')
  const streams = [...file.matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/g)].map(
    ([, packed = '']) => unpack(packed),
  )
  const maps = streams.filter((one) => one.includes('beginbfrange')).map(glyphMap)
  const pieces = streams.flatMap((one) => [...one.matchAll(/BT\n\/(F\d+) [\s\S]*?ET/g)])
  const fonts = [...new Set(pieces.map(([, font = '']) => font))].sort()
  return pieces
    .map(([piece, font = '']) => {
      const map = maps[fonts.indexOf(font)] ?? []
      const glyphs = [...piece.matchAll(/<([0-9a-f]{4})> Tj/g)]
      return glyphs.map(([, hex = '']) => map[Number.parseInt(hex, 16)] ?? '?').join('')
    })
    .join('\n')
}

/** What each glyph of a font stands for, from its ToUnicode table. */
function glyphMap(table: string): string[] {
  return [...table.matchAll(/\[([^\]]*)\]/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/<([0-9a-f ]+)>/g)].map(([, codes = '']) =>
      String.fromCodePoint(...codes.split(' ').map((code) => Number.parseInt(code, 16))),
    ),
  )
}
