// What kind of model file somebody sent, told by its bytes; a refusal names what it is and what could be sent instead.
import { AppError } from '../errors.ts'

/**
 * A zip is a package, a TF.js model, a `.keras` file or a PyTorch file under another name; `keras` is HDF5; `state-dict` is
 * of PyTorch, as `.pth` or `.safetensors`.
 */
export type ModelFileKind = 'zip' | 'onnx' | 'keras' | 'state-dict'

const SUPPORTED =
  'send a .roentgen.zip, an .onnx file, a Keras model (.keras or .h5), a PyTorch state dict (.pth or .safetensors), or a TF.js model (model.json with its weight files, zipped)'

/**
 * @param head the first bytes of the file, 512 or all of them
 * @param fileName as the sender named it; only its ending is looked at, to say more
 * @throws AppError `invalid-package` in one sentence
 */
export function modelFileKind(head: Uint8Array, fileName: string): ModelFileKind {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  const refuse = (what: string): never => {
    throw new AppError('invalid-package', `${what}; ${SUPPORTED}.`)
  }
  if (bytes.length === 0) return refuse('The file is empty')
  const text = bytes.toString('latin1')
  if (text.startsWith('version https://git-lfs')) {
    return refuse(
      'This is a Git LFS pointer and not the model itself, which "git lfs pull" fetches',
    )
  }
  if (text.startsWith('\x89HDF')) return 'keras'
  if (text.startsWith('PK\x03\x04')) {
    return /\.(pth|pt|ckpt)$/i.test(fileName) ? 'state-dict' : 'zip'
  }
  if (text.startsWith('\x80\x02') || text.startsWith('\x80\x04')) {
    return refuse(
      'This PyTorch file has the format from before version 1.6: load it in Python and save it again with torch.save(model.state_dict(), …)',
    )
  }
  if (text.slice(4, 9) === '\x00\x00\x00\x00{') return 'state-dict'
  if (/^\s*[{[]/.test(text)) {
    return refuse('A model.json without its weight files is only half a model')
  }
  if (/^[\t\n\r\x20-\x7e]+$/.test(text)) return refuse('This is a text file and not a model')
  // ModelProto of ONNX begins with its ir_version: field 1, a varint, today between 1 and about 20.
  if (bytes[0] === 0x08 && (bytes[1] ?? 0) > 0 && (bytes[1] ?? 0) < 64) return 'onnx'
  return refuse('This is not a model file that is known here')
}
