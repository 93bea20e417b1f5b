// Every transfer syntax that a file may name: how its pixels are coded, or why they are not read. PS3.5 section 10 and PS3.6.
import { AppError } from '../../errors.ts'

/** How the bytes of a frame become samples. */
export type Coding = 'native' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k'

export interface TransferSyntax {
  readonly name: string
  readonly coding: Coding
  /** Of the data set; the file meta information is always explicit little endian. */
  readonly explicit: boolean
  readonly bigEndian: boolean
  readonly deflated: boolean
  /** Pixel data lie in fragments. */
  readonly encapsulated: boolean
}

const ROOT = '1.2.840.10008.1.2'
const IMPLICIT = ROOT
const EXPLICIT = `${ROOT}.1`

const READ: ReadonlyMap<string, TransferSyntax> = new Map([
  [IMPLICIT, native('implicit little endian', { explicit: false })],
  [EXPLICIT, native('explicit little endian')],
  [`${ROOT}.1.98`, { ...native('encapsulated uncompressed'), encapsulated: true }],
  [`${ROOT}.1.99`, native('deflated explicit little endian', { deflated: true })],
  [`${ROOT}.2`, native('explicit big endian', { bigEndian: true })],
  [`${ROOT}.5`, encapsulated('RLE lossless', 'rle')],
  [`${ROOT}.4.50`, encapsulated('JPEG baseline', 'jpeg')],
  [`${ROOT}.4.51`, encapsulated('JPEG extended', 'jpeg')],
  [`${ROOT}.4.57`, encapsulated('JPEG lossless', 'jpeg-lossless')],
  [`${ROOT}.4.70`, encapsulated('JPEG lossless, first-order prediction', 'jpeg-lossless')],
  [`${ROOT}.4.80`, encapsulated('JPEG-LS lossless', 'jpeg-ls')],
  [`${ROOT}.4.81`, encapsulated('JPEG-LS near-lossless', 'jpeg-ls')],
  [`${ROOT}.4.90`, encapsulated('JPEG 2000 lossless', 'jpeg-2000')],
  [`${ROOT}.4.91`, encapsulated('JPEG 2000', 'jpeg-2000')],
  [`${ROOT}.4.201`, encapsulated('HTJ2K lossless', 'htj2k')],
  [`${ROOT}.4.202`, encapsulated('HTJ2K lossless, RPCL', 'htj2k')],
  [`${ROOT}.4.203`, encapsulated('HTJ2K', 'htj2k')],
])

/**
 * Not read: video and streamed syntaxes hold no still picture; the JPEG processes were retired in 1999 and no radiograph
 * is stored with them; JPEG XL and deflated frames are newer than what equipment writes, and no decoder of them was found
 * that keeps 16 bits and is well kept.
 */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^4\.5[2-6]$|^4\.5[89]$|^4\.6\d$/, 'a retired JPEG process'],
  [/^4\.9[23]$/, 'JPEG 2000 part 2, multi-component'],
  [/^4\.(94|95|204|205)$/, 'JPIP, whose pixels lie on another server'],
  [/^4\.10[0-1](\.1)?$/, 'MPEG-2 video'],
  [/^4\.10[2-6](\.1)?$/, 'MPEG-4 video'],
  [/^4\.10[78]$/, 'HEVC video'],
  [/^4\.11[0-2]$/, 'JPEG XL'],
  [/^8\.1$/, 'deflated image frames'],
  [/^7\./, 'SMPTE ST 2110 video'],
]

/**
 * The syntax of that UID; a missing one is guessed from how the data set looks, as old files need it.
 * @throws AppError `unsupported-image` naming the syntax
 */
export function transferSyntax(
  uid: string | undefined,
  { looksExplicit }: { readonly looksExplicit: boolean },
): TransferSyntax {
  const known = READ.get(uid ?? (looksExplicit ? EXPLICIT : IMPLICIT))
  if (known) return known
  const suffix = uid?.startsWith(`${ROOT}.`) ? uid.slice(ROOT.length + 1) : ''
  const name = REFUSED.find(([pattern]) => pattern.test(suffix))?.[1]
  // A private UID can name a hospital; only those of the standard are repeated.
  const words = name ?? (/^[\d.]{1,30}$/.test(suffix) ? 'an unknown one' : 'a private one')
  const number = name || words === 'an unknown one' ? ` (${uid})` : ''
  throw new AppError(
    'unsupported-image',
    `The transfer syntax of this DICOM file, ${words}${number}, is not supported; ` +
      'store or export it as explicit little endian, JPEG, JPEG-LS, JPEG 2000 or RLE.',
  )
}

function native(
  name: string,
  o: Partial<Pick<TransferSyntax, 'explicit' | 'bigEndian' | 'deflated'>> = {},
): TransferSyntax {
  const usual = { explicit: true, bigEndian: false, deflated: false, encapsulated: false }
  return { name, coding: 'native', ...usual, ...o }
}

function encapsulated(name: string, coding: Coding): TransferSyntax {
  return { ...native(name), coding, encapsulated: true }
}
