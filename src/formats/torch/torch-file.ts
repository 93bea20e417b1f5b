// A PyTorch file as torch.save writes it since version 1.6: a zip with one pickle and a file for each storage of numbers.
// Everything in it is checked against everything else before a number is read.
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { AppError } from '../../errors.ts'
import { headOf } from '../../package/file-head.ts'
import { findFormat } from '../detect-format.ts'
import { type TensorSource, toFloat32 } from '../tensor-source.ts'
import { withLegacyTorchFile } from './torch-legacy.ts'
import { readPickle } from './torch-pickle.ts'
import { damaged, tensorSource } from './torch-tensors.ts'
import { pickleOf } from './torch-zip.ts'

const MIB = 1024 * 1024
const MAX_ENTRIES = 20_000
const MAX_PICKLE_BYTES = 32 * MIB
const MAX_TOTAL_BYTES = 8192 * MIB
/** torch.save does not compress; whoever packed it again with zip stays far below. */
const MAX_RATIO = 20

/** Opens it for as long as `use` takes. @throws AppError `invalid-package` in one sentence; nothing in it is executed */
export async function withTorchFile<T>(
  path: string,
  use: (source: TensorSource) => Promise<T>,
): Promise<T> {
  if (findFormat(await headOf(path).catch(notZip))?.name === 'torch-legacy') {
    return withLegacyTorchFile(path, use)
  }
  const zip = await openPromise(path, { autoClose: false, strictFileNames: false }).catch(notZip)
  try {
    return await use(await openArchive(zip, (await stat(path)).size))
  } finally {
    zip.close()
  }
}

async function openArchive(zip: ZipFile, zipBytes: number): Promise<TensorSource> {
  const entries = await readEntries(zip, zipBytes)
  const pickle = pickleOf(entries.keys())
  if (pickle === undefined) {
    throw invalid('This zip file is no PyTorch file: there is no data.pkl in it.')
  }
  const top = pickle.slice(0, -'data.pkl'.length)
  if (entries.has(`${top}constants.pkl`)) {
    throw invalid(
      'This is a TorchScript program and not a file of weights; save torch.save(model.state_dict(), …) or export the model to ONNX.',
    )
  }
  const content = (name: string) => readEntry(zip, entries.get(name))
  if (entries.has(`${top}byteorder`)) {
    const order = (await content(`${top}byteorder`)).toString('latin1').trim()
    if (order !== 'little') throw invalid('The PyTorch file was written on a big-endian machine.')
  }
  if ((entries.get(pickle)?.uncompressedSize ?? 0) > MAX_PICKLE_BYTES) {
    throw invalid('The PyTorch file describes more than a network does (data.pkl is too large).')
  }
  return tensorSource(readPickle(await content(pickle)), {
    bytesOf: (key) => entries.get(`${top}data/${key}`)?.uncompressedSize,
    read: async ({ key, type }) => toFloat32(type, await content(`${top}data/${key}`)),
  })
}

async function readEntries(zip: ZipFile, zipBytes: number): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) throw invalid('The PyTorch file has too many parts.')
  const entries = new Map<string, Entry>()
  let [packed, unpacked] = [0, 0]
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw new Error(`${entry.fileName} twice`)
      if (entry.isEncrypted() || !entry.canDecodeFileData()) throw new Error('encrypted')
      entries.set(entry.fileName, entry)
      packed += entry.compressedSize
      unpacked += entry.uncompressedSize
    }
  } catch (cause) {
    throw damaged(cause)
  }
  if (packed > zipBytes || unpacked > MAX_TOTAL_BYTES || unpacked > MAX_RATIO * zipBytes + MIB) {
    throw invalid('The PyTorch file unpacks to far more than is plausible, and was rejected.')
  }
  return entries
}

async function readEntry(zip: ZipFile, entry: Entry | undefined): Promise<Buffer> {
  if (!entry) throw damaged(new Error('a part is missing'))
  try {
    // yauzl ends the stream with an error when the bytes are more or fewer than the entry says.
    return await buffer(await zip.openReadStreamPromise(entry))
  } catch (cause) {
    throw damaged(cause)
  }
}

function notZip(cause: unknown): never {
  throw damaged(cause)
}

function invalid(message: string): AppError {
  return new AppError('invalid-package', message)
}
