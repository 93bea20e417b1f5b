// A file that opens with a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM seals it piece by piece, so that neither end
// needs it whole, and a piece that is changed, missing, swapped or cut off is found. The format: docs/formats/encrypted-backup.md.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { promisify } from 'node:util'
import { AppError } from '../../errors.ts'

const MAGIC = Buffer.from('RGNTENC1')
const PIECE_BYTES = 64 * 1024
const TAG_BYTES = 16
const SALT_BYTES = 16
const NONCE_PREFIX_BYTES = 7
/** magic, log2 N, r, p, salt, nonce prefix */
const HEADER_BYTES = MAGIC.length + 3 + SALT_BYTES + NONCE_PREFIX_BYTES
/** 128 MiB and some tenths of a second. */
const COST = { logN: 17, r: 8, p: 1 }
/** Of a file that is opened: what a hostile header may ask for. */
const MAX_LOG_N = 20
export const MIN_PASSPHRASE_LENGTH = 8

const scryptOf = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** True for the first bytes of such a file. */
export function isEncrypted(start: Uint8Array): boolean {
  return Buffer.from(start).subarray(0, MAGIC.length).equals(MAGIC)
}

/** @throws AppError `invalid` for a passphrase that is too short */
export async function encrypting(
  passphrase: string,
  { logN = COST.logN }: { readonly logN?: number } = {},
): Promise<Transform> {
  if (passphrase.length < MIN_PASSPHRASE_LENGTH) {
    throw new AppError(
      'invalid',
      `The passphrase must have at least ${MIN_PASSPHRASE_LENGTH} characters; several words are best.`,
    )
  }
  const [salt, prefix] = [randomBytes(SALT_BYTES), randomBytes(NONCE_PREFIX_BYTES)]
  const { r, p } = COST
  const cost = Buffer.from([logN, r, p])
  const header = Buffer.concat([MAGIC, cost, salt, prefix])
  const key = await keyOf(passphrase, { salt, logN, r, p })
  const seal = (piece: Buffer, at: { n: number; isLast: boolean }): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(prefix, at))
    cipher.setAAD(header)
    return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()])
  }
  return pieces({ bytes: PIECE_BYTES, work: seal, first: header })
}

/** `header`: the first `HEADER_BYTES` of the file; the stream takes what follows. @throws AppError `invalid-package` */
async function decryptor(passphrase: string, header: Buffer): Promise<Transform> {
  const [logN = 0, r = 0, p = 0] = header.subarray(MAGIC.length)
  if (!isEncrypted(header) || header.length < HEADER_BYTES || logN > MAX_LOG_N || logN < 1)
    throw damaged()
  if (r < 1 || r > 16 || p < 1 || p > 4) throw damaged()
  const salt = header.subarray(MAGIC.length + 3, MAGIC.length + 3 + SALT_BYTES)
  const prefix = header.subarray(HEADER_BYTES - NONCE_PREFIX_BYTES)
  const key = await keyOf(passphrase, { salt, logN, r, p })
  const open = (piece: Buffer, at: { n: number; isLast: boolean }): Buffer => {
    if (piece.length < TAG_BYTES) throw damaged()
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(prefix, at))
    decipher.setAAD(header)
    decipher.setAuthTag(piece.subarray(-TAG_BYTES))
    try {
      return Buffer.concat([decipher.update(piece.subarray(0, -TAG_BYTES)), decipher.final()])
    } catch (cause) {
      const sentence =
        at.n === 0
          ? 'The passphrase is not the one of this backup, or the file is damaged.'
          : 'The encrypted backup is damaged or cut off.'
      throw new AppError('invalid-package', sentence, { cause })
    }
  }
  return pieces({ bytes: PIECE_BYTES + TAG_BYTES, work: open })
}

/** Yields what was encrypted. @throws AppError `invalid-package` for a wrong passphrase and for what is not whole */
export async function* decrypted(
  source: AsyncIterable<Buffer>,
  passphrase: string,
): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0)
  const rest = source[Symbol.asyncIterator]()
  while (head.length < HEADER_BYTES) {
    const { done, value } = await rest.next()
    if (done) throw damaged()
    head = Buffer.concat([head, value])
  }
  const stream = await decryptor(passphrase, head.subarray(0, HEADER_BYTES))
  const feed = async (): Promise<void> => {
    const put = async (chunk: Buffer): Promise<void> => {
      if (!stream.write(chunk)) await new Promise((resolve) => stream.once('drain', resolve))
    }
    await put(head.subarray(HEADER_BYTES))
    for (;;) {
      const { done, value } = await rest.next()
      if (done || stream.destroyed) break
      await put(value)
    }
    stream.end()
  }
  feed().catch((error: Error) => stream.destroy(error))
  yield* stream as AsyncIterable<Buffer>
}

function keyOf(
  passphrase: string,
  o: { salt: Buffer; logN: number; r: number; p: number },
): Promise<Buffer> {
  const { salt, logN, r, p } = o
  const N = 2 ** logN
  // Typed on another keyboard it is the same passphrase (RFC 8265).
  return scryptOf(passphrase.normalize('NFC'), salt, 32, { N, r, p, maxmem: 256 * N * r })
}

/** STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): which piece it is and whether it is the last stands in its nonce. */
function nonceOf(prefix: Buffer, { n, isLast }: { n: number; isLast: boolean }): Buffer {
  const nonce = Buffer.alloc(12)
  prefix.copy(nonce)
  nonce.writeUInt32BE(n, NONCE_PREFIX_BYTES)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

interface Pieces {
  readonly bytes: number
  readonly first?: Buffer
  work(piece: Buffer, at: { readonly n: number; readonly isLast: boolean }): Buffer
}

/** Cuts into pieces; the last one, which may be empty, is known as such. */
function pieces({ bytes, work, first }: Pieces): Transform {
  let held: Buffer[] = []
  let size = 0
  let n = 0
  const done = (stream: Transform, isLast: boolean, back: TransformCallback): void => {
    try {
      let whole = Buffer.concat(held, size)
      while (whole.length > bytes) {
        stream.push(work(whole.subarray(0, bytes), { n: n++, isLast: false }))
        whole = whole.subarray(bytes)
      }
      if (isLast) stream.push(work(whole, { n, isLast: true }))
      held = [whole]
      size = whole.length
      back()
    } catch (error) {
      back(error as Error)
    }
  }
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, back) {
      held.push(chunk)
      size += chunk.length
      if (size > bytes) done(this, false, back)
      else back()
    },
    flush(back) {
      done(this, true, back)
    },
  })
  if (first) stream.push(first)
  return stream
}

function damaged(): AppError {
  return new AppError(
    'invalid-package',
    'This is no encrypted backup of Roentgen, or it is cut off.',
  )
}
