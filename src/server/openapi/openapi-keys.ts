// The addresses of keys and signatures.
import { z } from 'zod'
import { NewKeySchema, RevokeKeySchema, SignSchema, TrustKeySchema } from '../keys/api.ts'
import { json, type Operation } from './openapi-operation.ts'

const Key = z.looseObject({
  fingerprint: z.string(),
  name: z.string(),
  publicKey: z.string(),
  revokedAt: z.string().nullable(),
})
const Signers = z.object({
  items: z.array(
    z.object({
      fingerprint: z.string(),
      name: z.string().nullable(),
      state: z.enum(['trusted', 'revoked', 'unknown']),
    }),
  ),
})

export const KEYS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/keys',
    tag: 'keys',
    summary: 'Public keys that are trusted here, or were',
    answers: { 200: json(z.object({ items: z.array(Key) }), 'Newest first') },
  },
  {
    method: 'post',
    path: '/api/v1/keys',
    tag: 'keys',
    summary: 'Make an Ed25519 key to sign packages with; its public half is trusted here',
    json: NewKeySchema,
    answers: { 201: json(Key, 'Made; the private half stays in this home') },
    errors: [
      ['409', 'conflict: the name is taken'],
      ['422', 'invalid'],
    ],
  },
  {
    method: 'post',
    path: '/api/v1/keys/trust',
    tag: 'keys',
    summary: 'Trust somebody’s public key',
    json: TrustKeySchema,
    answers: { 200: json(Key, 'Trusted') },
    errors: [
      ['409', 'conflict: the name is taken'],
      ['422', 'invalid'],
    ],
  },
  {
    method: 'post',
    path: '/api/v1/keys/{key}/revoke',
    tag: 'keys',
    summary: 'Trust a key no longer; by its name or the beginning of its fingerprint',
    json: RevokeKeySchema,
    answers: { 200: json(Key, 'Revoked') },
    errors: [['404', 'not-found']],
  },
  {
    method: 'get',
    path: '/api/v1/versions/{condition}/{name}/{n}/signatures',
    tag: 'keys',
    summary: 'Who signed a package, and whether that key is trusted here',
    answers: { 200: json(Signers, 'None when it is not signed') },
    errors: [
      ['404', 'unknown-version'],
      ['409', 'signature-mismatch'],
    ],
  },
  {
    method: 'post',
    path: '/api/v1/versions/{condition}/{name}/{n}/sign',
    tag: 'keys',
    summary: 'Sign a package with a key of this home; its digest stays',
    json: SignSchema,
    answers: { 200: json(Signers, 'Who has signed it now') },
    errors: [
      ['404', 'unknown-version, not-found: no such key'],
      ['409', 'hash-mismatch'],
    ],
  },
]
