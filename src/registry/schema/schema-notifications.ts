// Tables of notifications: whom to tell of what, and every message with its tries.
import type { Generated } from 'kysely'

export const NOTIFICATIONS = [
  `create table notification_targets (
    seq integer primary key autoincrement,
    id text not null unique,
    kind text not null check (kind in ('webhook', 'slack', 'discord', 'email')),
    name text not null,
    address text not null,
    secret text,
    events text not null check (json_valid(events)),
    enabled integer not null check (enabled in (0, 1)),
    created_at text not null,
    by text not null,
    via text not null
  ) strict`,
  `create table notification_deliveries (
    seq integer primary key autoincrement,
    id text not null unique,
    target text not null references notification_targets (id) on delete cascade,
    event text not null,
    subject text not null,
    message text not null check (json_valid(message)),
    state text not null check (state in ('waiting', 'delivered', 'failed')),
    attempts integer not null check (attempts >= 0),
    next_at text,
    detail text,
    created_at text not null,
    ended_at text,
    check ((state = 'waiting') = (next_at is not null)),
    unique (target, event, subject)
  ) strict`,
  `create index notification_deliveries_due on notification_deliveries (next_at) where state = 'waiting'`,
]

export interface NotificationTargetTable {
  seq: Generated<number>
  id: string
  kind: 'webhook' | 'slack' | 'discord' | 'email'
  name: string
  /** Web address, or an e-mail address. */
  address: string
  /** Of a webhook: the key of its signatures. */
  secret: string | null
  /** JSON: the events that are told. */
  events: string
  enabled: number
  created_at: string
  by: string
  via: string
}

/** A message; how its tries went is its job's. */
export interface NotificationDeliveryTable {
  seq: Generated<number>
  id: string
  target: string
  event: string
  /** What happened once is told once: the run or comparison, or a test. */
  subject: string
  /** JSON: Message */
  message: string
}
