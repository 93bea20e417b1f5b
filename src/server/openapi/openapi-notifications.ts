// Notifications in the OpenAPI document.
import { z } from 'zod'
import {
  DeliverySchema,
  NewTargetSchema,
  TargetChangeSchema,
  TargetSchema,
} from '../../app/notifications/notification-request.ts'
import { json, type Operation } from './openapi-operation.ts'

const tag = 'notifications'
const unknown = [['404', 'not-found']] as const

export const NOTIFICATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/notifications',
    tag,
    summary: 'Whom Roentgen tells when a training or a comparison ends',
    answers: { 200: json(z.strictObject({ items: z.array(TargetSchema) }), 'Oldest first') },
  },
  {
    method: 'post',
    path: '/api/v1/notifications',
    tag,
    summary: 'Tell a webhook, a Slack or Discord channel, or an e-mail address',
    description:
      'A webhook’s requests carry Roentgen-Signature: t=<seconds>,v1=<hex>, the HMAC-SHA-256 of "<seconds>.<body>" with the ' +
      'secret that is given out here once. Addresses in private networks are refused unless ROENTGEN_NOTIFY_PRIVATE is 1.',
    json: NewTargetSchema,
    answers: {
      201: json(TargetSchema.extend({ secret: z.string().nullable() }), 'Set up'),
    },
  },
  {
    method: 'get',
    path: '/api/v1/notifications/deliveries',
    tag,
    summary: 'The log of what was sent, and what waits for another try',
    query: { target: 'of one notification only', limit: 'at most so many' },
    answers: { 200: json(z.strictObject({ items: z.array(DeliverySchema) }), 'Newest first') },
  },
  {
    method: 'get',
    path: '/api/v1/notifications/{id}',
    tag,
    summary: 'One of them',
    answers: { 200: json(TargetSchema, 'As it is') },
    errors: unknown,
  },
  {
    method: 'patch',
    path: '/api/v1/notifications/{id}',
    tag,
    summary: 'Change its events, or switch it on or off',
    json: TargetChangeSchema,
    answers: { 200: json(TargetSchema, 'As it is now') },
    errors: unknown,
  },
  {
    method: 'delete',
    path: '/api/v1/notifications/{id}',
    tag,
    summary: 'Delete it with its log',
    answers: { 204: { description: 'Deleted' } },
    errors: unknown,
  },
  {
    method: 'post',
    path: '/api/v1/notifications/{id}/test',
    tag,
    summary: 'Send a test now',
    answers: { 200: json(z.strictObject({ detail: z.string() }), 'What the far end said') },
    errors: [
      ['404', 'not-found'],
      ['503', 'unavailable: it did not arrive, and why'],
    ],
  },
]
