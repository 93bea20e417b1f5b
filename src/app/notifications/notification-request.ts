// What is asked for when a notification is set up, checked once for page and API.
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import {
  type NewTarget,
  NOTIFICATION_EVENTS,
  NOTIFICATION_KINDS,
} from '../../registry/notifications/notification-targets.ts'
import { parseWebAddress } from './public-address.ts'
import { parseMailAddress } from './send-mail.ts'

const events = z
  .array(z.enum(NOTIFICATION_EVENTS))
  .min(1, 'choose at least one event')
  .max(NOTIFICATION_EVENTS.length)

export const NewTargetSchema = z.strictObject({
  kind: z.enum(NOTIFICATION_KINDS),
  name: z.string().trim().min(1).max(80),
  address: z.string().trim().min(3).max(2000),
  events,
})

export const TargetChangeSchema = z.strictObject({
  events: events.optional(),
  enabled: z.boolean().optional(),
})

/** As given out. The secret of a webhook is in the answer to its making only. */
export const TargetSchema = NewTargetSchema.extend({
  id: z.string(),
  enabled: z.boolean(),
  createdAt: z.string(),
  by: z.string(),
})

export const DeliverySchema = z.strictObject({
  id: z.string(),
  target: z.string(),
  event: z.string(),
  subject: z.string(),
  message: z.strictObject({
    event: z.string(),
    title: z.string(),
    text: z.string(),
    facts: z.array(z.strictObject({ name: z.string(), value: z.string() })),
    path: z.string(),
    at: z.string(),
  }),
  state: z.enum(['waiting', 'delivered', 'failed']),
  attempts: z.int(),
  nextAt: z.string().nullable(),
  detail: z.string().nullable(),
  createdAt: z.string(),
  endedAt: z.string().nullable(),
})

/** @throws AppError `invalid` when the address is none of its kind, or lies where none may be told */
export function checkTarget(
  target: z.infer<typeof NewTargetSchema>,
  { allowsPrivate, hasMail }: { allowsPrivate: boolean; hasMail: boolean },
): NewTarget {
  if (target.kind !== 'email') {
    return { ...target, address: parseWebAddress(target.address, { allowsPrivate }).href }
  }
  if (!hasMail) {
    throw new AppError(
      'invalid',
      'No mail server is configured: start Roentgen with ROENTGEN_SMTP_URL and ROENTGEN_MAIL_FROM.',
    )
  }
  return { ...target, address: parseMailAddress(target.address) }
}
