// Zips as nobody's tool writes them: any name, any mode, any claimed size. Layout: PKWARE APPNOTE 6.3.
import { crc32, deflateRawSync } from 'node:zlib'

export interface RawEntry {
  readonly name: string
  readonly data?: Uint8Array | string
  /** Unix mode, file type included; a plain file when absent. */
  readonly mode?: number
  readonly deflate?: boolean
  /** What the central directory says instead of the true unpacked size. */
  readonly claimedSize?: number
  /** Bit 0 says that it is encrypted. */
  readonly flags?: number
  /** Points at the local header of this entry instead of its own. */
  readonly sameBytesAs?: number
}

const UTF8 = 0x800

export function rawZip(entries: readonly RawEntry[]): Buffer {
  const parts: Buffer[] = []
  const central: Buffer[] = []
  const offsets: number[] = []
  let offset = 0
  for (const entry of entries) {
    const name = Buffer.from(entry.name)
    const data = Buffer.from(entry.data ?? '')
    const packed = entry.deflate ? deflateRawSync(data) : data
    const size = entry.claimedSize ?? data.length
    const fixed = Buffer.alloc(26) // the fields that both headers share, from "version needed" on
    fixed.writeUInt16LE(20, 0)
    fixed.writeUInt16LE(UTF8 | (entry.flags ?? 0), 2)
    fixed.writeUInt16LE(entry.deflate ? 8 : 0, 4)
    fixed.writeUInt16LE(0x5a63, 8)
    fixed.writeUInt32LE(crc32(data), 10)
    fixed.writeUInt32LE(packed.length, 14)
    fixed.writeUInt32LE(size, 18)
    fixed.writeUInt16LE(name.length, 22)
    const at = entry.sameBytesAs === undefined ? offset : (offsets[entry.sameBytesAs] ?? 0)
    offsets.push(at)
    if (entry.sameBytesAs === undefined) {
      const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), fixed, name, packed])
      parts.push(local)
      offset += local.length
    }
    const head = Buffer.from([0x50, 0x4b, 1, 2, 20, 3]) // made by Unix
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6)
    tail.writeUInt32LE(at, 10)
    central.push(head, fixed, tail, name)
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, directory, end])
}
