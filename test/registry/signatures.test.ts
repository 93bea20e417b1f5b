// Signed packages: the signature fits the manifest or nothing is taken, the digest stays, and trust can be given and taken.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import test from 'node:test'
import { encodePublicKey, parsePublicKey, signPackage } from '../../src/package/signature.ts'
import { verifyPackage } from '../../src/package/verify-package.ts'
import { packageDir } from '../../src/registry/home/store.ts'
import { exportPackage, importPackageZip } from '../../src/registry/versions/exchange-package.ts'
import { registerPackage } from '../../src/registry/versions/register-package.ts'
import {
  listKeys,
  newSigningKey,
  revokeKey,
  signersOf,
  signVersion,
  trustKey,
} from '../../src/registry/versions/trusted-keys.ts'
import { verifyAll } from '../../src/registry/versions/verify-all.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { writePackage } from '../support/package.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

const PEM = { type: 'spki', format: 'pem' } as const

async function signed(home: TestHome, name = 'radiology-a') {
  const { ctx } = home
  const key = await newSigningKey(ctx, { name, actor: ANNA, clock: ctx.clock })
  const version = await home.register({ seed: 4 })
  await signVersion(ctx, { version, key: name })
  return { key, version }
}

async function zipOf({ ctx, home }: TestHome, version: Version): Promise<string> {
  const path = join(home, `${version.sha256}.zip`)
  const { stream } = await exportPackage(ctx, version)
  await pipeline(stream, createWriteStream(path))
  return path
}

function bring({ ctx }: TestHome, zipPath: string, requiresTrust = true) {
  return importPackageZip(ctx, { zipPath, actor: ANNA, clock: ctx.clock, requiresTrust })
}

test('signing changes neither a file nor the digest, and openssl agrees with the signature', async (t) => {
  const home = await openApplication(t)
  const { version, key } = await signed(home)
  const dir = packageDir(home.ctx.store, version)
  await verifyPackage(dir, { expectedSha256: version.sha256 })
  assert.ok((await verifyAll(home.ctx)).every((one) => one.ok))
  const before = await readFile(join(dir, 'manifest.sig'), 'utf8')
  await signVersion(home.ctx, { version, key: 'radiology-a' })
  assert.equal(await readFile(join(dir, 'manifest.sig'), 'utf8'), before, 'once is enough')
  assert.deepEqual(await signersOf(home.ctx.db, dir), [
    { fingerprint: key.fingerprint, name: 'radiology-a', state: 'trusted' },
  ])
  const privatePath = join(home.ctx.store.dataDir, 'keys', 'radiology-a.pem')
  assert.equal((await stat(privatePath)).mode & 0o777, 0o600)
  try {
    execFileSync('openssl', ['version'])
  } catch {
    t.diagnostic('openssl is not installed: the signature was not held against it')
    return
  }
  const [one] = (JSON.parse(before) as { signatures: { signature: string }[] }).signatures
  const [sig, pub] = [join(home.home, 'sig'), join(home.home, 'pub.pem')]
  await writeFile(sig, Buffer.from(one?.signature ?? '', 'base64'))
  await writeFile(pub, parsePublicKey(key.publicKey).export(PEM))
  const words = [
    'pkeyutl',
    '-verify',
    '-pubin',
    '-inkey',
    pub,
    '-rawin',
    '-in',
    join(dir, 'manifest.json'),
  ]
  assert.match(execFileSync('openssl', [...words, '-sigfile', sig]).toString(), /Verified/)
})

test('a signed package goes through its zip, and another home takes it once it trusts the key', async (t) => {
  const [a, b] = [await openApplication(t), await openApplication(t)]
  const { version, key } = await signed(a)
  const zipPath = await zipOf(a, version)
  await assert.rejects(bring(b, zipPath), { code: 'untrusted', status: 409 })
  await trustKey(b.ctx.db, {
    name: 'Radiology A',
    publicKey: parsePublicKey(key.publicKey).export(PEM).toString(),
    actor: ANNA,
    clock: b.ctx.clock,
  })
  const { version: arrived } = await bring(b, zipPath)
  assert.equal(arrived.sha256, version.sha256)
  const dir = packageDir(b.ctx.store, arrived)
  assert.equal((await signersOf(b.ctx.db, dir))[0]?.name, 'Radiology A')
  await revokeKey(b.ctx.db, { key: 'Radiology A', reason: 'lost', actor: ANNA, clock: b.ctx.clock })
  assert.equal((await signersOf(b.ctx.db, dir))[0]?.state, 'revoked')
  await assert.rejects(bring(b, zipPath), { code: 'untrusted' })
})

test('where trust is asked for, a package that nobody signed is refused; else it is taken', async (t) => {
  const [a, b] = [await openApplication(t), await openApplication(t)]
  const zipPath = await zipOf(a, await a.register({ seed: 1 }))
  await assert.rejects(bring(b, zipPath), { code: 'untrusted', message: /not signed/ })
  assert.equal((await bring(b, zipPath, false)).created, true)
})

test('a signature that does not fit is refused, trusted or not, and leaves nothing', async (t) => {
  const home = await openApplication(t)
  const { ctx } = home
  const { version } = await signed(home)
  const signature = await readFile(join(packageDir(ctx.store, version), 'manifest.sig'), 'utf8')
  const fromDir = join(home.home, 'other')
  const register = () =>
    registerPackage(ctx, { fromDir, move: false, actor: ANNA, clock: ctx.clock })
  await writePackage(fromDir, { seed: 99 })
  for (const [what, content] of [
    ['of another package', signature],
    ['that is no JSON', 'signed, honestly'],
    ['of no known kind', signature.replace('ed25519', 'rot13')],
    ['without signatures', '{"schema":1,"signatures":[]}'],
    ['that is huge', ' '.repeat(70_000)],
  ] as const) {
    await writeFile(join(fromDir, 'manifest.sig'), content)
    await assert.rejects(register(), { code: 'signature-mismatch' }, what)
  }
  await rm(join(fromDir, 'manifest.sig'))
  assert.equal((await register()).version.n, 2, 'and its number was not spent')
})

test('bringing a package again brings the signature that it lacked', async (t) => {
  const home = await openApplication(t)
  const { ctx } = home
  const { version } = await signed(home)
  const zipPath = await zipOf(home, version)
  const dir = packageDir(ctx.store, version)
  await rm(join(dir, 'manifest.sig'))
  assert.deepEqual(await signersOf(ctx.db, dir), [])
  assert.equal((await bring(home, zipPath)).created, false)
  assert.equal((await signersOf(ctx.db, dir)).length, 1)
})

test('nobody makes the signatures of a version unreadable by bringing it with many more', async (t) => {
  const home = await openApplication(t)
  const { ctx } = home
  const { key, version } = await signed(home)
  const dir = packageDir(ctx.store, version)
  const other = join(home.home, 'again')
  await cp(dir, other, { recursive: true })
  await rm(join(other, 'manifest.sig'))
  for (let n = 0; n < 16; n++) {
    const { privateKey } = generateKeyPairSync('ed25519')
    await signPackage(other, { privateKey, madeIn: ctx.store.stagingDir })
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  await assert.rejects(signPackage(other, { privateKey, madeIn: ctx.store.stagingDir }), {
    code: 'conflict',
  })
  const options = { fromDir: other, move: false, actor: ANNA, clock: ctx.clock }
  assert.equal((await registerPackage(ctx, options)).created, false)
  const signers = await signersOf(ctx.db, dir)
  assert.equal(signers.length, 16)
  assert.ok(signers.some((one) => one.fingerprint === key.fingerprint && one.state === 'trusted'))
})

test('only public Ed25519 keys are trusted, under names of their own', async (t) => {
  const { ctx } = await openApplication(t)
  const pair = generateKeyPairSync('ed25519')
  const trust = (name: string, publicKey: string) =>
    trustKey(ctx.db, { name, publicKey, actor: ANNA, clock: ctx.clock })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  const mine = encodePublicKey(pair.publicKey)
  for (const wrong of [
    '',
    'abc',
    rsa.export(PEM).toString(),
    pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ]) {
    await assert.rejects(trust('x', wrong), { code: 'invalid' })
  }
  await assert.rejects(trust(' ', mine), { code: 'invalid' })
  await trust('a', mine)
  await trust('renamed', mine)
  const other = generateKeyPairSync('ed25519')
  await assert.rejects(trust('renamed', encodePublicKey(other.publicKey)), { code: 'conflict' })
  assert.deepEqual(
    (await listKeys(ctx.db)).map((one) => one.name),
    ['renamed'],
  )
  const gone = { actor: ANNA, clock: ctx.clock }
  await assert.rejects(revokeKey(ctx.db, { key: 'nobody', reason: 'x', ...gone }), {
    code: 'not-found',
  })
  await assert.rejects(revokeKey(ctx.db, { key: 'renamed', reason: ' ', ...gone }), {
    code: 'invalid',
  })
  const make = (name: string) => newSigningKey(ctx, { name, ...gone })
  await assert.rejects(make('../../escape'), { code: 'invalid' })
  await make('mine')
  await assert.rejects(make('mine'), { code: 'conflict' })
})

test('a manifest that lists the signature itself is refused', async (t) => {
  const home = await openApplication(t)
  const version = await home.register()
  const dir = packageDir(home.ctx.store, version)
  const { privateKey } = generateKeyPairSync('ed25519')
  await signPackage(dir, { privateKey, madeIn: home.ctx.store.stagingDir })
  const manifest = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8'))
  manifest.files.push({ ...manifest.files[0], path: 'manifest.sig' })
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
  await assert.rejects(verifyPackage(dir), { code: 'invalid-package', message: /twice/ })
})
