// Writes a PNG of palette colours with transparency: a quarter of RGBA's size, and exact. PNG specification, 3rd edition.
import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
const UP = 2

export interface IndexedImage {
  readonly width: number
  readonly height: number
  /** [height, width], each an entry of the palette. */
  readonly indices: Uint8Array
  /** Up to 256 times R, G, B, A. */
  readonly palette: Uint8Array
}

/** The bytes of an 8-bit indexed PNG with PLTE and tRNS chunks. */
export function encodeIndexedPng(image: IndexedImage): Uint8Array {
  const { width, height, palette } = image
  const entries = palette.length / 4
  const colours = Buffer.alloc(entries * 3)
  const alphas = Buffer.alloc(entries)
  for (let i = 0; i < entries; i++) {
    colours.set(palette.subarray(i * 4, i * 4 + 3), i * 3)
    alphas[i] = palette[i * 4 + 3] as number
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8 // bits of an index
  header[9] = 3 // colour type: indexed
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('tRNS', alphas),
    chunk('IDAT', deflateSync(filtered(image), { level: 3 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Each row as differences to the row above, which a smooth map makes nearly constant. */
function filtered({ width, height, indices }: IndexedImage): Uint8Array {
  const rows = new Uint8Array(height * (width + 1))
  for (let y = 0; y < height; y++) {
    const to = y * (width + 1)
    rows[to] = UP
    for (let x = 0; x < width; x++) {
      const above = y === 0 ? 0 : (indices[(y - 1) * width + x] as number)
      rows[to + 1 + x] = (indices[y * width + x] as number) - above
    }
  }
  return rows
}

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(named.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(named, 4)
  framed.writeUInt32BE(crc32(named), named.length + 4)
  return framed
}
