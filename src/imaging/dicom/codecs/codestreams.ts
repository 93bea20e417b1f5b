// JPEG-LS, JPEG 2000 and HTJ2K through WebAssembly builds of CharLS, OpenJPEG and OpenJPH, loaded at the first file that needs
// one. The size that a codestream claims is read here first, so that no decoder allocates for a lie.
import { createRequire } from 'node:module'
import { type CodedSize, checkCodedSize, cutOff, damagedFrame, type Frame } from '../frame.ts'
import type { ImageHeader } from '../image-header.ts'
import { interleaved, littleEndianWords } from '../native-frame.ts'
import { jpegFrame } from './jpeg-stream.ts'

export type Codestream = 'jpeg-ls' | 'jpeg-2000' | 'htj2k'

/** What the three modules have in common; they come without types. */
interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array
  decode(): void
  getDecodedBuffer(): Uint8Array
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number }
  /** JPEG-LS: 0 is plane by plane. */
  getInterleaveMode?(): number
  delete(): void
}

interface WasmModule {
  readonly HEAPU8: Uint8Array
  readonly [className: string]: unknown
}

type Factory = (options: object) => Promise<WasmModule>

const PACKAGES: Readonly<Record<Codestream, { path: string; className: string; name: string }>> = {
  'jpeg-ls': {
    path: '@cornerstonejs/codec-charls/decodewasmjs',
    className: 'JpegLSDecoder',
    name: 'JPEG-LS',
  },
  'jpeg-2000': {
    path: '@cornerstonejs/codec-openjpeg/decodewasmjs',
    className: 'J2KDecoder',
    name: 'JPEG 2000',
  },
  htj2k: { path: '@cornerstonejs/codec-openjph', className: 'HTJ2KDecoder', name: 'HTJ2K' },
}
/** WebAssembly memory only grows; an instance that a large image has blown up is not kept. */
const MAX_KEPT_BYTES = 128 * 1024 * 1024
/** ITU-T T.800 A.4.2: a tile's number has 16 bits. */
const MAX_TILES = 65535

const require = createRequire(import.meta.url)
const modules = new Map<Codestream, Promise<WasmModule>>()

/** @throws AppError `unsupported-image`, `undecodable-image` */
export async function decodeCodestream(
  bytes: Uint8Array,
  { kind, header }: { readonly kind: Codestream; readonly header: ImageHeader },
): Promise<Frame> {
  const coded = kind === 'jpeg-ls' ? jpegFrame(bytes).frame : jpeg2000Size(bytes)
  checkCodedSize(coded, header)
  const loaded = await load(kind)
  const samples = decode(bytes, { kind, module: loaded })
  const isWide = coded.precision > 8
  const count = header.width * header.height * header.samples
  if (samples.bytes.length < count * (isWide ? 2 : 1)) throw cutOff()
  const values = isWide ? littleEndianWords(samples.bytes) : samples.bytes
  const cells = values.subarray(0, count)
  if (samples.planar) return { cells: interleaved(cells, { ...header, planar: true }) }
  return { cells, isRgb: header.photometric === 'YBR_ICT' || header.photometric === 'YBR_RCT' }
}

function decode(
  bytes: Uint8Array,
  { kind, module }: { kind: Codestream; module: WasmModule },
): { bytes: Uint8Array; planar: boolean } {
  const { className, name } = PACKAGES[kind]
  try {
    const decoder = new (module[className] as new () => WasmDecoder)()
    decoder.getEncodedBuffer(bytes.length).set(bytes)
    decoder.decode()
    const { componentCount } = decoder.getFrameInfo()
    const planar = componentCount > 1 && decoder.getInterleaveMode?.() === 0
    // A copy: the module's memory is used again.
    const decoded = Uint8Array.from(decoder.getDecodedBuffer())
    decoder.delete()
    if (module.HEAPU8.length > MAX_KEPT_BYTES) modules.delete(kind)
    return { bytes: decoded, planar }
  } catch {
    // A C++ exception leaves memory behind, an abort a module that cannot go on.
    modules.delete(kind)
    throw damagedFrame(name)
  }
}

function load(kind: Codestream): Promise<WasmModule> {
  const known = modules.get(kind)
  if (known) return known
  const factory = require(PACKAGES[kind].path) as Factory
  const silent = () => {}
  const loading = factory({ print: silent, printErr: silent })
  modules.set(kind, loading)
  return loading
}

/** The SIZ segment (ITU-T T.800 A.5.1), also where the codestream lies in a JP2 box. */
function jpeg2000Size(bytes: Uint8Array): CodedSize {
  const start = Buffer.from(bytes.subarray(0, 4096)).indexOf('\xff\x4f\xff\x51', 0, 'latin1')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = start + 2
  if (start < 0 || at + 43 > bytes.length) {
    throw damagedFrame('JPEG 2000')
  }
  const [right = 0, bottom = 0, left = 0, top = 0, tileWidth = 0, tileHeight = 0] = [
    6, 10, 14, 18, 22, 26,
  ].map((offset) => view.getUint32(at + offset))
  const tiles = Math.ceil(right / tileWidth) * Math.ceil(bottom / tileHeight)
  if (!(tiles <= MAX_TILES)) throw damagedFrame('JPEG 2000')
  const components = view.getUint16(at + 38)
  return {
    width: right - left,
    height: bottom - top,
    components,
    precision: (view.getUint8(at + 40) & 0x7f) + 1,
  }
}
