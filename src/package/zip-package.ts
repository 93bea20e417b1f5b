// A package as one .roentgen.zip, streamed: the files of the manifest in one folder, the manifest last.
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { MANIFEST, SIGNATURE } from './package-paths.ts'
import type { Manifest } from './schema.ts'

export interface ZipPackageOptions {
  readonly manifest: Manifest
  /** Name of the one folder at the top of the zip. */
  readonly folder: string
  /** Zip comment; an export keeps the version's id here, since a manifest does not know its number. */
  readonly comment: string
  /** The bytes of manifest.sig, when it is signed. */
  readonly signatures?: Uint8Array | undefined
}

/** Only what the manifest names goes in, and who signed it. Read errors end the stream with an error. */
export function zipPackage(dir: string, options: ZipPackageOptions): Readable {
  const { manifest, folder, comment, signatures } = options
  const zip = new ZipFile()
  const mtime = new Date(manifest.createdAt)
  const paths = [...manifest.files.map((file) => file.path), MANIFEST]
  for (const path of paths) {
    // Weights and pictures hardly shrink: packing them costs time and gains nothing.
    const compress = !/\.(png|pdf|onnx|bin|safetensors|h5|keras)$/.test(path)
    zip.addFile(join(dir, ...path.split('/')), `${folder}/${path}`, {
      mtime,
      mode: 0o100644,
      compress,
    })
  }
  if (signatures) {
    const name = `${folder}/${SIGNATURE}`
    zip.addBuffer(Buffer.from(signatures), name, { mtime, mode: 0o100644, compress: true })
  }
  const stream = zip.outputStream as Readable
  zip.on('error', (error: Error) => stream.destroy(error))
  zip.end({ comment, forceZip64Format: false })
  return stream
}
