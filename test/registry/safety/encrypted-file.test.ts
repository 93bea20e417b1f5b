// A file that opens with a passphrase, byte for byte, and in no other way.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import test from 'node:test'
import { decrypted, encrypting, isEncrypted } from '../../../src/registry/home/encrypted-file.ts'

const PASSPHRASE = 'correct horse bättery'
const PIECE = 64 * 1024

/** At a low cost, which stands in the file. */
async function encrypt(plain: Buffer, passphrase = PASSPHRASE): Promise<Buffer> {
  return buffer(Readable.from([plain]).pipe(await encrypting(passphrase, { logN: 8 })))
}

async function decrypt(sealed: Buffer, passphrase = PASSPHRASE, size = 1000): Promise<Buffer> {
  const chunks = function* () {
    for (let at = 0; at < sealed.length; at += size) yield sealed.subarray(at, at + size)
  }
  const out: Buffer[] = []
  for await (const piece of decrypted(Readable.from(chunks()), passphrase)) out.push(piece)
  return Buffer.concat(out)
}

test('what was encrypted comes back, whatever its size and however it is cut', async () => {
  for (const size of [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 200_000]) {
    const plain = randomBytes(size)
    const sealed = await encrypt(plain)
    assert.ok(isEncrypted(sealed))
    for (const cut of [7919, 1 << 20]) {
      assert.ok((await decrypt(sealed, PASSPHRASE, cut)).equals(plain), `${size} by ${cut}`)
    }
  }
})

test('two files of one passphrase have nothing in common, and its characters may be composed or not', async () => {
  const plain = Buffer.alloc(1000)
  const [a, b] = [await encrypt(plain), await encrypt(plain)]
  assert.ok(!a.subarray(11).equals(b.subarray(11)))
  assert.ok((await decrypt(a, PASSPHRASE.normalize('NFD'))).equals(plain))
})

test('a wrong passphrase, and a file that is changed, cut off, reordered or none, are refused', async () => {
  const sealed = await encrypt(randomBytes(3 * PIECE + 100))
  await assert.rejects(decrypt(sealed, 'another passphrase'), {
    code: 'invalid-package',
    message: /passphrase is not the one/,
  })
  const head = 8 + 3 + 16 + 7
  const piece = PIECE + 16
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(sealed)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  const first = sealed.subarray(head, head + piece)
  const second = sealed.subarray(head + piece, head + 2 * piece)
  const bad = [
    ...[12, 30, head, head + piece + 5, sealed.length - 1].map(changed),
    sealed.subarray(0, head + 2 * piece),
    sealed.subarray(0, sealed.length - 1),
    sealed.subarray(0, head),
    sealed.subarray(0, 10),
    Buffer.concat([sealed.subarray(0, head), second, first, sealed.subarray(head + 2 * piece)]),
    Buffer.from('PK\u0003\u0004 and no more than that, but a little longer'),
    Buffer.concat([Buffer.from('RGNTENC1'), Buffer.from([31, 255, 255]), Buffer.alloc(100)]),
  ]
  for (const [n, one] of bad.entries()) {
    await assert.rejects(decrypt(one), { code: 'invalid-package' }, `${n}`)
  }
})

test('a short passphrase is refused', async () => {
  await assert.rejects(encrypting('secret'), { code: 'invalid' })
})
