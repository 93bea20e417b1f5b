// The images of a zip in its own order, unpacked one after the other into memory when their turn comes, never onto the disk. Sizes are
// checked before and while a file is unpacked; names are words and no paths.
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { AppError, isAppError, messageOf } from '../../errors.ts'
import { headOf } from '../../package/file-head.ts'
import { tooLarge } from '../uploaded-files.ts'
import { type BatchItem, type BatchSource, isClutter, MAX_ITEMS } from './batch-item.ts'

/** Of all files together, unpacked. */
const MAX_BYTES = 16 * 2 ** 30

export async function looksLikeZip(path: string): Promise<boolean> {
  return (await headOf(path, 4)).toString('latin1') === 'PK\x03\x04'
}

/** @throws AppError `invalid` when it is no zip, damaged, or plainly a bomb; a bad file in it costs only itself */
export async function openZip(
  path: string,
  o: { readonly maxBytes: number },
): Promise<BatchSource> {
  let zip: ZipFile | undefined
  try {
    zip = await openPromise(path, { autoClose: false, strictFileNames: false })
    const entries = await imageEntries(zip, (await stat(path)).size)
    const opened = zip
    const items = entries.map((entry) => itemOf(opened, { entry, maxBytes: o.maxBytes }))
    return { items, close: async () => opened.close() }
  } catch (error) {
    zip?.close()
    if (isAppError(error)) throw error
    const sentence = /relative path|absolute path/.test(messageOf(error))
      ? 'A file in the zip has a path outside the zip; the zip was rejected.'
      : 'The zip is damaged or incomplete, or not a zip; create it again.'
    throw invalid(sentence, error)
  }
}

async function imageEntries(zip: ZipFile, zipBytes: number): Promise<Entry[]> {
  if (zip.entryCount > 2 * MAX_ITEMS) throw tooMany(zip.entryCount)
  const entries: Entry[] = []
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName.replaceAll('\\', '/')
    const isLink = ((entry.externalFileAttributes >>> 16) & 0o170000) === 0o120000
    if (!name.endsWith('/') && !isClutter(name) && !isLink) entries.push(entry)
  }
  if (entries.length > MAX_ITEMS) throw tooMany(entries.length)
  if (entries.length === 0) throw invalid('The zip holds no files.')
  const sum = (of: (entry: Entry) => number) => entries.reduce((all, one) => all + of(one), 0)
  if (sum((entry) => entry.compressedSize) > zipBytes) {
    throw invalid('The entries of the zip overlap; the zip was rejected.')
  }
  if (sum((entry) => entry.uncompressedSize) > MAX_BYTES) {
    throw invalid('The zip unpacks to more than 16 GiB, which is the limit; send it in parts.')
  }
  return entries
}

function itemOf(zip: ZipFile, o: { readonly entry: Entry; readonly maxBytes: number }): BatchItem {
  const { entry, maxBytes } = o
  const read = async () => {
    // What an entry says of its size holds: yauzl ends the stream as soon as there is a byte more or less.
    if (entry.uncompressedSize > maxBytes) throw tooLarge(maxBytes)
    if (entry.isEncrypted()) {
      throw unreadable('The file in the zip is encrypted; create the zip without a password.')
    }
    if (!entry.canDecodeFileData()) {
      throw unreadable('The compression method is not supported; use a standard zip.')
    }
    try {
      return await buffer(await zip.openReadStreamPromise(entry))
    } catch (cause) {
      throw unreadable('The file in the zip is damaged; create the zip again.', cause)
    }
  }
  return { name: entry.fileName, read }
}

function tooMany(count: number): AppError {
  return invalid(`The zip has ${count} files; at most ${MAX_ITEMS} are read at once.`)
}

function unreadable(sentence: string, cause?: unknown): AppError {
  return new AppError('undecodable-image', sentence, { cause })
}

function invalid(sentence: string, cause?: unknown): AppError {
  return new AppError('invalid', sentence, { cause })
}
