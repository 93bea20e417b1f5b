// A colour frame as RGB pixels: RGB as it is, YBR converted (PS3.3 C.7.6.3.1.2), palettes looked up.
import { AppError } from '../../errors.ts'
import type { Pixels } from '../pixels.ts'
import type { Attributes } from './data-set.ts'
import type { Frame } from './frame.ts'
import type { RenderedFrame } from './grey-image.ts'
import type { ImageHeader } from './image-header.ts'
import { findLookupTable, type LookupTable, lookUp } from './lookup-table.ts'

export function renderColour(frame: Frame, header: ImageHeader): RenderedFrame {
  const { width, height, bitsStored } = header
  const isYbr = header.photometric.startsWith('YBR') && !frame.isRgb
  const maxValue = bitsStored > 8 ? 65535 : 255
  // Chroma is centred on half of the range.
  const cells = isYbr ? toRgb(frame.cells, 2 ** bitsStored) : frame.cells
  const data = toFullRange(cells, { bitsStored, maxValue })
  return {
    pixels: { width, height, channels: 3, data, maxValue },
    steps: isYbr ? ['YBR converted to RGB'] : [],
    warnings: [],
  }
}

/** @throws AppError `unsupported-image`, `undecodable-image` */
export function renderPalette(
  { cells }: Frame,
  { attributes, header }: { readonly attributes: Attributes; readonly header: ImageHeader },
): RenderedFrame {
  const tables = [1, 2, 3].map((n) => paletteOf(attributes, n))
  const mask = 2 ** header.bitsStored - 1
  const data = new Uint8Array(cells.length * 3)
  tables.forEach((table, channel) => {
    // Sixteen-bit entries hold the colour in their upper byte; some writers leave it in the lower one.
    const shift = table.entries instanceof Uint16Array && usesUpperByte(table) ? 8 : 0
    for (let i = 0, to = channel; i < cells.length; i++, to += 3) {
      data[to] = lookUp(table, (cells[i] as number) & mask) >> shift
    }
  })
  const { width, height } = header
  return {
    pixels: { width, height, channels: 3, data, maxValue: 255 },
    steps: ['palette applied'],
    warnings: [],
  }
}

function paletteOf(attributes: Attributes, n: number): LookupTable {
  const tags = { descriptor: `x0028110${n}`, data: `x0028120${n}`, signed: false }
  const table = findLookupTable(attributes, tags)
  if (table) return table
  throw new AppError(
    'unsupported-image',
    'The palette of the DICOM image is missing or segmented, which is not supported; export the image in RGB.',
  )
}

function usesUpperByte({ entries }: LookupTable): boolean {
  return entries.some((entry) => entry > 255)
}

function toRgb(cells: Frame['cells'], levels: number): Frame['cells'] {
  // Not slice(), which is a view where the cells are a Buffer.
  const output = cells instanceof Uint8Array ? new Uint8Array(cells) : new Uint16Array(cells)
  const [middle, most] = [levels / 2, levels - 1]
  const put = (at: number, value: number) => {
    output[at] = Math.min(Math.max(Math.round(value), 0), most)
  }
  for (let i = 0; i + 2 < cells.length; i += 3) {
    const y = cells[i] as number
    const cb = (cells[i + 1] as number) - middle
    const cr = (cells[i + 2] as number) - middle
    put(i, y + 1.402 * cr)
    put(i + 1, y - 0.344136 * cb - 0.714136 * cr)
    put(i + 2, y + 1.772 * cb)
  }
  return output
}

function toFullRange(
  cells: Frame['cells'],
  { bitsStored, maxValue }: { bitsStored: number; maxValue: number },
): Pixels['data'] {
  const mask = 2 ** bitsStored - 1
  if (cells instanceof Uint8Array && bitsStored === 8) return cells
  const data = maxValue === 255 ? new Uint8Array(cells.length) : new Uint16Array(cells.length)
  const scale = maxValue / mask
  for (let i = 0; i < cells.length; i++) data[i] = Math.round(((cells[i] as number) & mask) * scale)
  return data
}
