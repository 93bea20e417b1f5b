// A drawing as PNG at 300 dpi, in a font that comes with the product: no font of the machine is used.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { crc32 } from 'node:zlib'
import type { PlotNode } from './node.ts'
import { FONT, svgText } from './sheet.ts'

export const DPI = 300
const POINTS_PER_INCH = 72
const METRES_PER_INCH = 0.0254

const require = createRequire(import.meta.url)

/** Regular and bold, as files of the package that holds the font. */
export const FONT_FILES = {
  regular: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
  bold: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
} as const

export type PngWriter = (svg: PlotNode) => Uint8Array

/** Loads renderer and fonts, some 5 MB, once; then each drawing takes a fraction of a second. */
export async function openPngWriter(): Promise<PngWriter> {
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm')
  started ??= readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')).then(initWasm)
  await started
  const fontBuffers = await Promise.all(Object.values(FONT_FILES).map((file) => readFile(file)))
  return (svg) => {
    const drawing = new Resvg(svgText(svg), {
      fitTo: { mode: 'zoom', value: DPI / POINTS_PER_INCH },
      font: { fontBuffers, defaultFontFamily: FONT, sansSerifFamily: FONT },
    })
    const image = drawing.render()
    try {
      return withResolution(image.asPng())
    } finally {
      image.free()
      drawing.free()
    }
  }
}

/** The renderer can be started once in a process. */
let started: Promise<void> | undefined

/** With a pHYs chunk right after the header, which says how many dots make a metre. */
function withResolution(png: Uint8Array): Uint8Array {
  const perMetre = Math.round(DPI / METRES_PER_INCH)
  const body = Buffer.alloc(4 + 9)
  body.write('pHYs', 0, 'ascii')
  body.writeUInt32BE(perMetre, 4)
  body.writeUInt32BE(perMetre, 8)
  body.writeUInt8(1, 12) // the unit is the metre
  const length = Buffer.alloc(4)
  length.writeUInt32BE(9)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  const afterHeader = 8 + 4 + 4 + 13 + 4
  return Buffer.concat([
    png.subarray(0, afterHeader),
    length,
    body,
    check,
    png.subarray(afterHeader),
  ])
}
