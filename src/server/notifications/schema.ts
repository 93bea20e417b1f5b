// What programs send and get about notifications. What a target may be is checked by the use case, for page and API alike.
import { z } from 'zod'
import { DeliverySchema, TargetSchema } from '../../app/notifications/notification-request.ts'
import { listOf, wholeNumberIn } from '../operations/shared-schemas.ts'

const Target = TargetSchema.meta({ id: 'Notification' })

export { Target as NotificationSchema }

export const NotificationListSchema = listOf(Target)

export const MadeNotificationSchema = TargetSchema.extend({
  secret: z.string().nullable().describe('of a webhook, given out once'),
})

export const DeliveriesSchema = listOf(DeliverySchema)

export const DeliveriesQuery = z.object({
  target: z.string().optional().describe('of one notification only'),
  limit: wholeNumberIn({ min: 1, max: 1000 }).optional().describe('at most so many'),
})

export const TestedSchema = z.object({ detail: z.string() })
