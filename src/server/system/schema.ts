// What the server says about itself.
import { z } from 'zod'

const warnings = z.array(z.string()).optional().describe('what is wrong although it can answer')

export const AliveSchema = z.object({ status: z.literal('ok'), version: z.string() })

export const ReadySchema = z.object({ status: z.literal('ready'), warnings })

export const NotReadySchema = z.object({
  status: z.literal('not ready'),
  reasons: z.array(z.string()),
  warnings,
})

export const ClockConfirmedSchema = z.object({ warnings: z.array(z.string()) })

export const ApiDocumentSchema = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.looseObject({})),
})
