// Whose signatures count: public keys that somebody trusts, or no longer does. And the private keys of this home, which lie
// in data/keys for their owner's eyes only and never leave it.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { exists, writeFileDurably } from '../../package/durable-files.ts'
import { isName } from '../../package/ids.ts'
import {
  encodePublicKey,
  fingerprintOf,
  type PackageSignature,
  parsePublicKey,
  readSignatures,
  signPackage,
} from '../../package/signature.ts'
import { verifyVersion } from '../activation/gate-steps.ts'
import { recordChanges } from '../conditions/changes.ts'
import { exclusive, STORE } from '../home/exclusive.ts'
import type { Actor, Clock, RegistryPlace } from '../home/registry-context.ts'
import { packageDir } from '../home/store.ts'
import type { Db } from '../schema/database.ts'
import type { Version } from './versions.ts'

export interface TrustedKey {
  /** SHA-256 of the public key. */
  readonly fingerprint: string
  readonly name: string
  /** SPKI, DER, in base64. */
  readonly publicKey: string
  readonly at: string
  readonly by: string
  /** null while it is trusted. */
  readonly revokedAt: string | null
  readonly revokedReason: string | null
}

export interface Signer {
  readonly fingerprint: string
  /** As this home knows it; null when it does not. */
  readonly name: string | null
  readonly state: 'trusted' | 'revoked' | 'unknown'
}

/** Newest first, revoked ones too. */
export async function listKeys(db: Db): Promise<TrustedKey[]> {
  const rows = await db.selectFrom('trusted_keys').selectAll().orderBy('at', 'desc').execute()
  return rows.map((row) => ({
    fingerprint: row.fingerprint,
    name: row.name,
    publicKey: row.public_key,
    at: row.at,
    by: row.by,
    revokedAt: row.revoked_at,
    revokedReason: row.revoked_reason,
  }))
}

/** Trusts it from now on, also when it was revoked before. @throws AppError `invalid`, `conflict` (the name is taken) */
export async function trustKey(
  db: Db,
  o: { name: string; publicKey: string; actor: Actor; clock: Clock },
): Promise<TrustedKey> {
  const publicKey = encodePublicKey(parsePublicKey(o.publicKey))
  const fingerprint = fingerprintOf(publicKey)
  const name = o.name.trim()
  if (name === '' || name.length > 100) {
    throw new AppError('invalid', 'Give the owner of the key in up to 100 characters.')
  }
  const namesake = (await listKeys(db)).find((one) => one.name === name)
  if (namesake && namesake.fingerprint !== fingerprint) {
    throw new AppError('conflict', `Another key is called "${name}"; choose another name.`)
  }
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom('trusted_keys').where('fingerprint', '=', fingerprint).execute()
    const trust = { at: o.clock().toISOString(), ...o.actor }
    const none = { revoked_at: null, revoked_by: null, revoked_reason: null }
    const row = { fingerprint, name, public_key: publicKey, ...trust, ...none }
    await trx.insertInto('trusted_keys').values(row).execute()
    const values = { trusted: name }
    await recordChanges(trx, { subject: `key ${fingerprint}`, values, ...o })
  })
  return getKey(db, fingerprint)
}

/** What it signed stays; it is shown as revoked and no longer counts. @throws AppError `not-found`, `invalid` */
export async function revokeKey(
  db: Db,
  o: { key: string; reason: string; actor: Actor; clock: Clock },
): Promise<TrustedKey> {
  const { fingerprint } = await getKey(db, o.key)
  const reason = o.reason.trim()
  if (reason === '') throw new AppError('invalid', 'Give the reason for revoking it.')
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('trusted_keys')
      .where('fingerprint', '=', fingerprint)
      .set({
        revoked_at: o.clock().toISOString(),
        revoked_by: o.actor.by,
        revoked_reason: reason,
      })
      .execute()
    const { actor, clock } = o
    const change = {
      subject: `key ${fingerprint}`,
      values: { revoked: true },
      actor,
      reason,
      clock,
    }
    await recordChanges(trx, change)
  })
  return getKey(db, fingerprint)
}

/** By its fingerprint, the first eight digits of it or more, or its name. @throws AppError `not-found` */
export async function getKey(db: Db, key: string): Promise<TrustedKey> {
  const text = key.trim()
  const isFingerprint = /^[0-9a-f]{8,64}$/.test(text)
  const found = (await listKeys(db)).filter(
    (one) => one.name === text || (isFingerprint && one.fingerprint.startsWith(text)),
  )
  const [only] = found
  if (only && found.length === 1) return only
  throw new AppError('not-found', `There is no key "${text.slice(0, 100)}" here.`)
}

/** Makes a pair; its public half is trusted here from now on. @throws AppError `invalid`, `conflict` */
export async function newSigningKey(
  { db, store }: RegistryPlace,
  o: { name: string; actor: Actor; clock: Clock },
): Promise<TrustedKey> {
  const name = o.name.trim()
  if (!isName(name)) {
    throw new AppError(
      'invalid',
      'The name of a key has 1 to 64 letters a-z, digits, dots or dashes.',
    )
  }
  const path = privateKeyPath(store, name)
  if (await exists(path)) throw new AppError('conflict', `There is a key "${name}" already.`)
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const trusted = await trustKey(db, { ...o, publicKey: encodePublicKey(publicKey) })
  await mkdir(join(store.dataDir, 'keys'), { recursive: true, mode: 0o700 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFileDurably(path, pem.toString(), { mode: 0o600 })
  return trusted
}

/** Signs a registered package, whole and intact, with a key of this home. @throws AppError `not-found`, `hash-mismatch` */
export async function signVersion(
  place: RegistryPlace & { readonly clock: Clock },
  { version, key }: { version: Version; key: string },
): Promise<void> {
  const privateKey = await loadPrivateKey(place.store, key)
  const work = async (): Promise<void> => {
    await verifyVersion(place, { version })
    const { stagingDir } = place.store
    await signPackage(packageDir(place.store, version), { privateKey, madeIn: stagingDir })
  }
  await exclusive(place.db, { key: STORE, work })
}

/** Who signed the package in a folder. @throws AppError `signature-mismatch` */
export async function signersOf(db: Db, dir: string): Promise<Signer[]> {
  const signatures = await readSignatures(dir)
  if (signatures.length === 0) return []
  const keys = await listKeys(db)
  return signatures.map((one) => signerOf(one, keys))
}

/** @throws AppError `signature-mismatch`; `untrusted` when nobody whom this home trusts has signed it */
export async function refuseUntrusted(db: Db, dir: string): Promise<void> {
  const signers = await signersOf(db, dir)
  if (signers.some((one) => one.state === 'trusted')) return
  const by = signers.map((one) => one.name ?? one.fingerprint.slice(0, 16)).join(', ')
  throw new AppError(
    'untrusted',
    signers.length === 0
      ? 'The package is not signed, and this server accepts only packages signed by a trusted key.'
      : `The package is signed by ${by}, which is not trusted here; "roentgen keys trust" adds a key.`,
  )
}

function signerOf({ publicKey }: PackageSignature, keys: readonly TrustedKey[]): Signer {
  const fingerprint = fingerprintOf(publicKey)
  const known = keys.find((one) => one.fingerprint === fingerprint)
  const state = known ? (known.revokedAt === null ? 'trusted' : 'revoked') : 'unknown'
  return { fingerprint, name: known?.name ?? null, state }
}

async function loadPrivateKey(store: RegistryPlace['store'], name: string): Promise<KeyObject> {
  const missing = `There is no key "${name.slice(0, 64)}" to sign with here; "roentgen keys new" makes one.`
  if (!isName(name)) throw new AppError('not-found', missing)
  const pem = await readFile(privateKeyPath(store, name), 'utf8').catch((cause: unknown) => {
    throw new AppError('not-found', missing, { cause })
  })
  return createPrivateKey(pem)
}

function privateKeyPath({ dataDir }: RegistryPlace['store'], name: string): string {
  return join(dataDir, 'keys', `${name}.pem`)
}
