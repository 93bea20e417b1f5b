// Is a package on disk, byte for byte, what its manifest says? Asked before anything of it is loaded.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import { sha256Of, sha256OfFile } from './hash-file.ts'
import { decodeManifest, readManifestBytes } from './manifest.ts'
import { isPlainFile, listFiles, MANIFEST, SIGNATURE, shown } from './package-paths.ts'
import type { FileEntry, Manifest } from './schema.ts'

export interface VerifyOptions {
  /** The digest under which the package is registered. */
  readonly expectedSha256?: string
  /** Only these files, for a quick look at what serving needs; all files, and no others, when absent. */
  readonly only?: 'serving'
}

export interface VerifiedPackage {
  readonly manifest: Manifest
  readonly sha256: string
  /** Of all files that the manifest lists. */
  readonly sizeBytes: number
}

/**
 * @throws AppError `hash-mismatch` naming the file that differs, is missing or is not in the manifest;
 * `invalid-package` when the manifest cannot be used (only without `expectedSha256`: else that is a mismatch too)
 */
export async function verifyPackage(
  dir: string,
  options: VerifyOptions = {},
): Promise<VerifiedPackage> {
  const bytes = await readManifestBytes(dir)
  if (!bytes) {
    if (options.expectedSha256) throw mismatch(MANIFEST, 'is missing')
    throw new AppError('invalid-package', 'The package has no manifest.json.')
  }
  const sha256 = sha256Of(bytes)
  if (options.expectedSha256 && sha256 !== options.expectedSha256) {
    throw mismatch(MANIFEST, 'is not the one that was registered')
  }
  const manifest = decodeManifest(bytes)
  const files = options.only ? servingFiles(manifest) : manifest.files
  if (!options.only) await refuseStrangers(dir, manifest)
  for (const file of files) await verifyFile(dir, file)
  return { manifest, sha256, sizeBytes: manifest.files.reduce((sum, file) => sum + file.size, 0) }
}

/** What a host needs: its graph, how to prepare an image, what is familiar to it, and the golden images with their outputs. */
export function servingFiles(manifest: Manifest): readonly FileEntry[] {
  return manifest.files.filter(
    ({ path }) =>
      path === 'configs/model.json' ||
      path === 'configs/preprocessing.json' ||
      path.startsWith('configs/familiarity.') ||
      path.startsWith('results/golden/') ||
      /^models\/[^/]+\.onnx$/.test(path),
  )
}

async function verifyFile(dir: string, file: FileEntry): Promise<void> {
  if (!(await isPlainFile(dir, file.path))) throw mismatch(file.path, 'is missing')
  const { size } = await stat(join(dir, file.path))
  if (size !== file.size) {
    throw mismatch(file.path, `has ${size} bytes where the manifest says ${file.size}`)
  }
  if ((await sha256OfFile(join(dir, file.path))) !== file.sha256) {
    throw mismatch(file.path, 'does not match its checksum')
  }
}

async function refuseStrangers(dir: string, manifest: Manifest): Promise<void> {
  const known = new Set([MANIFEST, SIGNATURE, ...manifest.files.map((file) => file.path)])
  const stranger = (await listFiles(dir)).find((path) => !known.has(path))
  if (stranger !== undefined) throw mismatch(stranger, 'is not in the manifest')
}

function mismatch(path: string, what: string): AppError {
  return new AppError(
    'hash-mismatch',
    `The package differs from its manifest: ${shown(path)} ${what}.`,
    { extra: { file: path } },
  )
}
