// What kind of model file somebody has, told by its bytes: the one table of formats, for imports, weights and conversions.
// What is in a zip is zip-contents.ts; a refusal names what a file is and what could be sent instead.
import { AppError } from '../errors.ts'

/** Who reads it. `keras` is HDF5; `state-dict` is of PyTorch; a zip holds a package, a TF.js model or any of the others. */
export type ModelFileKind = 'zip' | 'onnx' | 'keras' | 'state-dict'

export interface FileFormat {
  readonly name: 'hdf5' | 'zip' | 'safetensors' | 'torch-legacy' | 'onnx'
  readonly kind: ModelFileKind
  /** For a person. */
  readonly title: string
  /** Of files inside a zip. */
  readonly ending: RegExp
  readonly begins: (head: Head) => boolean
}

interface Head {
  readonly bytes: Buffer
  /** One character a byte. */
  readonly text: string
}

/** PROTO, with which every pickle since protocol 2 begins; the protocol follows. */
const PICKLE = 0x80
/** How torch.save began before version 1.6: a pickle of the number 0x1950a86a20f9469cfc6c. */
const TORCH_MAGIC = '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.'

const FORMATS: readonly FileFormat[] = [
  {
    name: 'hdf5',
    kind: 'keras',
    title: 'Keras HDF5',
    ending: /\.(h5|hdf5)$/i,
    begins: ({ text }) => text.startsWith('\x89HDF'),
  },
  {
    name: 'zip',
    kind: 'zip',
    title: 'zip file of a model',
    ending: /\.(keras|pth|pt|ckpt)$/i,
    begins: ({ text }) => text.startsWith('PK\x03\x04'),
  },
  {
    name: 'torch-legacy',
    kind: 'state-dict',
    title: 'PyTorch state dict',
    ending: /\.(pth|pt|ckpt)$/i,
    begins: ({ text }) => text.startsWith(TORCH_MAGIC),
  },
  {
    name: 'safetensors',
    kind: 'state-dict',
    title: 'PyTorch state dict',
    ending: /\.safetensors$/i,
    begins: ({ text }) => text.slice(4, 9) === '\0\0\0\0{',
  },
  {
    name: 'onnx',
    kind: 'onnx',
    title: 'ONNX',
    ending: /\.onnx$/i,
    begins: ({ bytes, text }) => !isText(text) && beginsAsOnnx(bytes),
  },
]

const SUPPORTED =
  'send a .roentgen.zip, an .onnx file, a Keras model (.keras or .h5), a PyTorch state dict (.pth or .safetensors), or a TF.js model (model.json with its weight files, zipped)'

/** @param head the first bytes of the file, 512 or all of them. Undefined for what is not known here */
export function findFormat(head: Uint8Array): FileFormat | undefined {
  const seen = headOf(head)
  return FORMATS.find(({ begins }) => begins(seen))
}

/** Whether a file of that name in a zip may be a model. */
export function isModelName(name: string): boolean {
  return FORMATS.some(({ ending }) => ending.test(name))
}

/**
 * @param head the first bytes of the file, 512 or all of them @param fileName as the sender named it; only its ending counts
 * @throws AppError `invalid-package` in one sentence
 */
export function modelFileKind(head: Uint8Array, fileName: string): ModelFileKind {
  const format = findFormat(head)
  if (!format) throw new AppError('invalid-package', `${unknownFile(head)}; ${SUPPORTED}.`)
  // Zips and PyTorch files begin alike; the name says which was meant, so that a refusal speaks of it.
  return format.name === 'zip' && /\.(pth|pt|ckpt)$/i.test(fileName) ? 'state-dict' : format.kind
}

/** What a file is that is no model, for the beginning of a sentence. */
export function unknownFile(head: Uint8Array): string {
  const { bytes, text } = headOf(head)
  if (bytes.length === 0) return 'The file is empty'
  if (text.startsWith('version https://git-lfs')) {
    return 'This is a Git LFS pointer and not the model itself, which "git lfs pull" fetches'
  }
  if (bytes[0] === PICKLE && (bytes[1] ?? 0) <= 5) {
    return 'This is a Python pickle and no file of torch.save: save it with torch.save(model.state_dict(), …)'
  }
  if (/^\s*[{[]/.test(text)) return 'A model.json without its weight files is only half a model'
  return isText(text)
    ? 'This is a text file and not a model'
    : 'This is not a model file that is known here'
}

export function formatTitle(kind: ModelFileKind): string {
  return FORMATS.find((format) => format.kind === kind)?.title ?? kind
}

function headOf(head: Uint8Array): Head {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  return { bytes, text: bytes.toString('latin1') }
}

function isText(text: string): boolean {
  return /^[\t\n\r\x20-\x7e]+$/.test(text)
}

/** Field numbers of ModelProto with their wire types; a writer may begin with any of them. */
const ONNX_FIELDS: Readonly<Record<number, number>> = {
  1: 0, // ir_version
  2: 2, // producer_name
  3: 2, // producer_version
  4: 2, // domain
  5: 0, // model_version
  6: 2, // doc_string
  7: 2, // graph
  8: 2, // opset_import
  14: 2, // metadata_props
  20: 2, // training_info
  25: 2, // functions
}
const GRAPH = 7

/** Follows the fields as far as the head reaches. The graph, which is nearly all of a file, is reached or there is a version. */
function beginsAsOnnx(bytes: Buffer): boolean {
  const [first, version = 0] = bytes
  // Nearly every file begins with its version; one that is damaged behind it is then named as a damaged ONNX file.
  if (first === 0x08 && version > 0 && version < 64) return true
  let at = 0
  let fields = 0
  while (at < bytes.length && fields < 8) {
    const key = varintAt(bytes, at)
    if (!key && fields > 0) break
    const number = key === undefined ? 0 : Math.floor(key.value / 8)
    if (!key || ONNX_FIELDS[number] !== key.value % 8) return false
    const value = varintAt(bytes, key.next)
    if (!value && fields > 0) break
    if (!value) return false
    if (number === 1 && (value.value === 0 || value.value > 64)) return false
    at = ONNX_FIELDS[number] === 2 ? value.next + value.value : value.next
    fields += 1
    if (number === GRAPH) return true
  }
  return fields > 1 || (fields === 1 && bytes[0] === 0x08)
}

function varintAt(bytes: Buffer, from: number): { value: number; next: number } | undefined {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = bytes[from + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, next: from + i + 1 }
  }
  return undefined
}
