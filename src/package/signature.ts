// manifest.sig: Ed25519 signatures (RFC 8032) over the very bytes of manifest.json, which holds the hash of every other
// file. It lies beside the manifest and is not listed in it, so that signing changes neither a file nor the digest.
// Whose key is trusted is the registry's (trusted-keys.ts).
import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { writeFileDurably } from './durable-files.ts'
import { isPlainFile, MANIFEST, SIGNATURE } from './package-paths.ts'

const MAX_BYTES = 64 * 1024
const MAX_SIGNATURES = 16

const SignatureSchema = z.object({
  algorithm: z.literal('ed25519'),
  /** SPKI, DER, in base64. */
  publicKey: z.base64().max(200),
  signature: z.base64().max(200),
})
const FileSchema = z.object({
  schema: z.literal(1),
  signatures: z.array(SignatureSchema).min(1).max(MAX_SIGNATURES),
})
export type PackageSignature = Readonly<z.infer<typeof SignatureSchema>>

/**
 * The signatures of a package, each found to fit its manifest; none without a manifest.sig.
 * @throws AppError `signature-mismatch` when one does not fit, or the file cannot be read
 */
export async function readSignatures(dir: string): Promise<readonly PackageSignature[]> {
  const bytes = await signatureBytes(dir)
  if (!bytes) return []
  const parsed = FileSchema.safeParse(parseJson(bytes))
  if (!parsed.success) {
    throw mismatch('The manifest.sig of the package is not a list of signatures.', parsed.error)
  }
  const manifest = await readFile(join(dir, MANIFEST))
  for (const one of parsed.data.signatures) {
    const key = parsePublicKey(one.publicKey)
    if (verifyBytes(null, manifest, key, Buffer.from(one.signature, 'base64'))) continue
    throw mismatch(
      'A signature of the package does not fit its manifest; ask for the package again.',
    )
  }
  return parsed.data.signatures
}

/** The bytes of manifest.sig as they are; undefined when there is none. @throws AppError `signature-mismatch` */
export async function signatureBytes(dir: string): Promise<Uint8Array | undefined> {
  if (!(await isPlainFile(dir, SIGNATURE))) return undefined
  const path = join(dir, SIGNATURE)
  if ((await stat(path)).size > MAX_BYTES) throw mismatch('The manifest.sig is larger than 64 KiB.')
  return readFile(path)
}

/**
 * Adds the key's signature to those that are there. A second one of the same key changes nothing. `madeIn`: as of
 * `writeFileDurably`; a half-written file in a package would be a stranger in it. @throws AppError `conflict` when it has
 * as many as there may be
 */
export async function signPackage(
  dir: string,
  { privateKey, madeIn }: { privateKey: KeyObject; madeIn: string },
): Promise<void> {
  const publicKey = encodePublicKey(createPublicKey(privateKey))
  const manifest = await readFile(join(dir, MANIFEST))
  const signature = signBytes(null, manifest, privateKey).toString('base64')
  const mine = { algorithm: 'ed25519', publicKey, signature } as const
  const known = await readSignatures(dir)
  const isNew = !known.some((one) => one.publicKey === publicKey)
  if (isNew && known.length >= MAX_SIGNATURES) {
    throw new AppError(
      'conflict',
      `The package has ${MAX_SIGNATURES} signatures, which is the most.`,
    )
  }
  await addSignatures(dir, { more: [mine], madeIn })
}

/** Those whose key has not signed yet, as many as there is room for, written durably. */
export async function addSignatures(
  dir: string,
  { more, madeIn }: { more: readonly PackageSignature[]; madeIn: string },
): Promise<void> {
  const known = await readSignatures(dir)
  const fresh = more
    .filter((one) => !known.some((other) => other.publicKey === one.publicKey))
    .slice(0, MAX_SIGNATURES - known.length)
  if (fresh.length === 0) return
  const file = { schema: 1, signatures: [...known, ...fresh] }
  const text = `${JSON.stringify(file, null, 2)}\n`
  await writeFileDurably(join(dir, SIGNATURE), text, { madeIn })
}

/** SHA-256 of the DER of a public key: by this it is known. */
export function fingerprintOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex')
}

/** SPKI, DER, in base64. */
export function encodePublicKey(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'der' }).toString('base64')
}

/** A public Ed25519 key, as PEM or as base64 of its DER. @throws AppError `invalid` */
export function parsePublicKey(text: string): KeyObject {
  const wrong =
    'This is not a public Ed25519 key: give its PEM, which begins with BEGIN PUBLIC KEY.'
  let key: KeyObject
  try {
    // A private key would be taken for the public one that it holds; nobody should hand those about.
    if (/PRIVATE KEY/.test(text)) throw new Error('a private key')
    key = text.includes('BEGIN')
      ? createPublicKey(text.trim())
      : createPublicKey({ key: Buffer.from(text.trim(), 'base64'), format: 'der', type: 'spki' })
  } catch (cause) {
    throw new AppError('invalid', wrong, { cause })
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new AppError('invalid', wrong)
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch {
    return undefined
  }
}

function mismatch(message: string, cause?: unknown): AppError {
  return new AppError('signature-mismatch', message, cause === undefined ? {} : { cause })
}
