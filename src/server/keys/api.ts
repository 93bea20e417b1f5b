// /api/v1/keys and …/sign: whose signatures count here, and signing packages with a key of this home.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { packageDir } from '../../registry/home/store.ts'
import {
  listKeys,
  newSigningKey,
  revokeKey,
  signersOf,
  signVersion,
  trustKey,
} from '../../registry/versions/trusted-keys.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { versionOfParams } from '../http/requests.ts'
import { json, operation } from '../operations/operation.ts'
import { VersionParams } from '../operations/shared-schemas.ts'
import {
  KeyListSchema,
  KeyParams,
  KeySchema,
  NewKeySchema,
  RevokeKeySchema,
  SignersSchema,
  SignSchema,
  TrustKeySchema,
} from './schema.ts'

const tag = 'keys'

export function keyRoutes(services: Uses<'clock' | 'db' | 'store'>): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/keys',
      tag,
      summary: 'Public keys that are trusted here, or were',
      answers: { 200: json(KeyListSchema, 'Newest first') },
    },
    async ({ reply }) => reply(200, { items: await listKeys(db) }),
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/keys',
      tag,
      summary: 'Make an Ed25519 key to sign packages with; its public half is trusted here',
      json: NewKeySchema,
      answers: { 201: json(KeySchema, 'Made; the private half stays in this home') },
      errors: [
        [409, 'conflict: the name is taken'],
        [422, 'invalid'],
      ],
    },
    async ({ c, body, reply }) =>
      reply(201, await newSigningKey(services, { ...body, actor: c.var.actor, clock })),
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/keys/trust',
      tag,
      summary: 'Trust somebody’s public key',
      json: TrustKeySchema,
      answers: { 200: json(KeySchema, 'Trusted') },
      errors: [
        [409, 'conflict: the name is taken'],
        [422, 'invalid'],
      ],
    },
    async ({ c, body, reply }) =>
      reply(200, await trustKey(db, { ...body, actor: c.var.actor, clock })),
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/keys/:key/revoke',
      tag,
      summary: 'Trust a key no longer',
      params: KeyParams,
      json: RevokeKeySchema,
      answers: { 200: json(KeySchema, 'Revoked') },
      errors: [
        [404, 'not-found'],
        [422, 'invalid'],
      ],
    },
    async ({ c, params: { key }, body: { reason }, reply }) =>
      reply(200, await revokeKey(db, { key, reason, actor: c.var.actor, clock })),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/versions/:condition/:name/:n/signatures',
      tag,
      summary: 'Who signed a package, and whether that key is trusted here',
      params: VersionParams,
      answers: { 200: json(SignersSchema, 'None when it is not signed') },
      errors: [
        [404, 'unknown-version'],
        [409, 'signature-mismatch'],
      ],
    },
    async ({ params, reply }) => {
      const version = await getVersion(db, versionOfParams(params))
      return reply(200, { items: await signersOf(db, packageDir(services.store, version)) })
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/versions/:condition/:name/:n/sign',
      tag,
      summary: 'Sign a package with a key of this home; its digest stays',
      params: VersionParams,
      json: SignSchema,
      answers: { 200: json(SignersSchema, 'Who has signed it now') },
      errors: [
        [404, 'unknown-version, not-found: no such key'],
        [409, 'hash-mismatch'],
        [422, 'invalid'],
      ],
    },
    async ({ params, body: { key }, reply }) => {
      const version = await getVersion(db, versionOfParams(params))
      await signVersion(services, { version, key })
      return reply(200, { items: await signersOf(db, packageDir(services.store, version)) })
    },
  )
  return routes
}
