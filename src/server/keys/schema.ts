// What programs send and get about keys and signatures.
import { z } from 'zod'
import { listOf } from '../operations/shared-schemas.ts'

const name = z
  .string()
  .max(200)
  .meta({ examples: ['radiology-2026'] })

export const NewKeySchema = z.strictObject({ name })

export const TrustKeySchema = z.strictObject({
  name,
  publicKey: z.string().max(2000).describe('PEM, or base64 of its DER'),
})

export const RevokeKeySchema = z.strictObject({
  reason: z.string().trim().min(1, 'must say why').max(500),
})

export const SignSchema = z.strictObject({
  key: z.string().max(200).describe('its name or the beginning of its fingerprint'),
})

export const KeySchema = z
  .object({
    fingerprint: z.string().describe('SHA-256 of the public key'),
    name: z.string(),
    publicKey: z.string().describe('SPKI, DER, in base64'),
    at: z.string(),
    by: z.string(),
    revokedAt: z.string().nullable().describe('null while it is trusted'),
    revokedReason: z.string().nullable(),
  })
  .meta({ id: 'Key' })

export const KeyListSchema = listOf(KeySchema)

export const SignersSchema = listOf(
  z.object({
    fingerprint: z.string(),
    name: z.string().nullable().describe('as this server knows it; null when it does not'),
    state: z.enum(['trusted', 'revoked', 'unknown']),
  }),
)

export const KeyParams = z.object({
  key: z.string().describe('its name or the beginning of its fingerprint'),
})
