// /api/v1/keys and …/sign: whose signatures count here, and signing packages with a key of this home.
import { Hono } from 'hono'
import { z } from 'zod'
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
import { readJson, versionOfPath } from '../http/requests.ts'

const reason = z.string().trim().min(1, 'say why').max(500)
export const NewKeySchema = z.strictObject({ name: z.string() })
/** `publicKey`: PEM, or base64 of its DER. */
export const TrustKeySchema = z.strictObject({ name: z.string(), publicKey: z.string().max(2000) })
export const RevokeKeySchema = z.strictObject({ reason })
export const SignSchema = z.strictObject({ key: z.string() })

export function keyRoutes(services: Uses<'clock' | 'db' | 'store'>): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/keys', async (c) => c.json({ items: await listKeys(db) }))
  routes.post('/api/v1/keys', async (c) => {
    const { name } = await readJson(c, NewKeySchema)
    return c.json(await newSigningKey(services, { name, actor: c.var.actor, clock }), 201)
  })
  routes.post('/api/v1/keys/trust', async (c) => {
    const given = await readJson(c, TrustKeySchema)
    return c.json(await trustKey(db, { ...given, actor: c.var.actor, clock }))
  })
  routes.post('/api/v1/keys/:key/revoke', async (c) => {
    const { reason: why } = await readJson(c, RevokeKeySchema)
    const key = c.req.param('key')
    return c.json(await revokeKey(db, { key, reason: why, actor: c.var.actor, clock }))
  })
  routes.get('/api/v1/versions/:condition/:name/:n/signatures', async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    return c.json({ items: await signersOf(db, packageDir(services.store, version)) })
  })
  routes.post('/api/v1/versions/:condition/:name/:n/sign', async (c) => {
    const { key } = await readJson(c, SignSchema)
    const version = await getVersion(db, versionOfPath(c))
    await signVersion(services, { version, key })
    return c.json({ items: await signersOf(db, packageDir(services.store, version)) })
  })
  return routes
}
