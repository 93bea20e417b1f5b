// The tables of all work that goes on after an answer: one row a job, whatever its kind, and what happened to it in order.
// What only one kind knows (the lines of a comparison, the epochs of a run) lies in that kind's own table.
import type { Generated } from 'kysely'

export const JOBS = [
  `create table jobs (
    seq integer primary key autoincrement,
    id text not null unique,
    kind text not null,
    state text not null check (state in
      ('queued', 'running', 'paused', 'interrupted', 'cancelled', 'failed', 'finished')),
    reason text,
    done integer check (done >= 0),
    total integer check (total >= 0),
    attempt integer not null check (attempt >= 0),
    subject_type text,
    subject_id text,
    input text check (input is null or json_valid(input)),
    by text not null,
    via text not null,
    due_at text not null,
    created_at text not null,
    started_at text,
    ended_at text,
    check ((done is null) = (total is null)),
    check ((subject_type is null) = (subject_id is null)),
    check (ended_at is null or state in ('interrupted', 'cancelled', 'failed', 'finished')),
    check (ended_at is not null or state not in ('cancelled', 'failed', 'finished'))
  ) strict`,
  `create index jobs_due on jobs (kind, due_at, seq) where state = 'queued'`,
  `create index jobs_kind on jobs (kind, seq)`,
  `create index jobs_state on jobs (state, seq)`,
  `create index jobs_subject on jobs (subject_type, subject_id, seq)`,
  `create table job_events (
    job text not null references jobs (id) on delete cascade,
    seq integer not null check (seq >= 1),
    type text not null,
    data text not null check (json_valid(data)),
    at text not null,
    primary key (job, seq)
  ) strict, without rowid`,
]

/** State, progress and owner of a comparison are those of its job; what is compared, its lines and summary are its own. */
export const COMPARISON_JOBS = [
  `insert into jobs (id, kind, state, reason, done, total, attempt, subject_type, subject_id, input, by, via,
      due_at, created_at, started_at, ended_at)
    select id, 'comparison',
      case state when 'running' then 'interrupted' when 'ended' then 'cancelled' else state end, reason,
      (select count(*) from paired_lines where job = paired_jobs.id), total, 1, 'condition', condition, '{}', by, via,
      created_at, created_at, created_at, coalesce(ended_at, created_at)
    from paired_jobs order by seq`,
  ...['state', 'reason', 'total', 'by', 'via', 'created_at', 'ended_at'].map(
    (column) => `alter table paired_jobs drop column ${column}`,
  ),
]

/** Of an image from an archive, what was made of it is its own; the rest is its job's. */
export const ARCHIVE_JOBS = [
  `alter table archive_jobs add column skipped integer not null default 0 check (skipped in (0, 1))`,
  `update archive_jobs set skipped = 1 where state = 'skipped'`,
  `insert into jobs (id, kind, state, reason, attempt, subject_type, subject_id, input, by, via,
      due_at, created_at, started_at, ended_at)
    select 'ar_' || key, 'archive-image',
      case state when 'waiting' then 'queued' when 'failed' then 'failed' else 'finished' end, detail, attempts,
      'image', key, json_object('key', key), source, 'file', due_at, received_at, null,
      case state when 'waiting' then null else coalesce(ended_at, received_at) end
    from archive_jobs order by seq`,
  `drop index archive_jobs_due`,
  ...['state', 'detail', 'attempts', 'due_at', 'received_at', 'ended_at'].map(
    (column) => `alter table archive_jobs drop column ${column}`,
  ),
]

/** Of a notification, whom it is for and what it says is its own; the rest is its job's. */
export const NOTIFICATION_JOBS = [
  `insert into jobs (id, kind, state, reason, attempt, subject_type, subject_id, input, by, via,
      due_at, created_at, started_at, ended_at)
    select d.id, 'notification',
      case d.state when 'delivered' then 'finished' when 'failed' then 'failed'
        else iif(t.enabled = 1, 'queued', 'paused') end,
      d.detail, d.attempts, 'notification-target', d.target, '{}', t.by, 'policy', coalesce(d.next_at, d.created_at),
      d.created_at, null, case d.state when 'waiting' then null else coalesce(d.ended_at, d.created_at) end
    from notification_deliveries as d join notification_targets as t on t.id = d.target order by d.seq`,
  `create table notification_messages (
    seq integer primary key autoincrement,
    id text not null unique,
    target text not null references notification_targets (id) on delete cascade,
    event text not null,
    subject text not null,
    message text not null check (json_valid(message)),
    unique (target, event, subject)
  ) strict`,
  `insert into notification_messages select seq, id, target, event, subject, message from notification_deliveries`,
  `drop table notification_deliveries`,
  `alter table notification_messages rename to notification_deliveries`,
]

/** Of a run, its settings, epochs and version are its own; the rest, its events too, is its job's. */
export const RUN_JOBS = [
  `insert into jobs (id, kind, state, reason, done, total, attempt, subject_type, subject_id, input, by, via,
      due_at, created_at, started_at, ended_at)
    select id, 'training', iif(state = 'preparing', 'running', state), reason,
      iif(json_extract(progress, '$.epochs') > 0, json_extract(progress, '$.epoch'), null),
      iif(json_extract(progress, '$.epochs') > 0, json_extract(progress, '$.epochs'), null),
      attempts, 'condition', condition, '{}', by, via, created_at, created_at, started_at,
      iif(state in ('cancelled', 'failed', 'finished'), coalesce(ended_at, created_at), null)
    from runs order by seq`,
  `insert into job_events (job, seq, type, data, at)
    select run, seq, type, iif(type = 'state', json_object(
      'state', iif(json_extract(data, '$.state') = 'preparing', 'running', json_extract(data, '$.state')),
      'reason', json_extract(data, '$.reason'), 'detail', json(data)), data), at
    from run_events order by run, seq`,
  `drop table run_events`,
  `create table run_details (
    seq integer primary key autoincrement,
    id text not null unique,
    condition text not null references conditions (id),
    dataset text not null references datasets (id),
    architecture text not null,
    preset text not null,
    settings text not null check (json_valid(settings)),
    offer text check (offer is null or json_valid(offer)),
    progress text not null check (json_valid(progress)),
    version text,
    lineage text not null check (json_valid(lineage))
  ) strict`,
  `insert into run_details select seq, id, condition, dataset, architecture, preset, settings, offer, progress, version,
    lineage from runs`,
  `drop table runs`,
  `alter table run_details rename to runs`,
]

export interface JobTable {
  seq: Generated<number>
  id: string
  kind: string
  state: 'queued' | 'running' | 'paused' | 'interrupted' | 'cancelled' | 'failed' | 'finished'
  /** Why it is in this state, where that is not plain. */
  reason: string | null
  done: number | null
  total: number | null
  /** How often it was begun. */
  attempt: number
  /** What it is about: `version`, `dataset`, `condition`, … and its id. */
  subject_type: string | null
  subject_id: string | null
  /** JSON: all that another attempt needs; null for a kind that keeps nothing. */
  input: string | null
  by: string
  via: string
  /** Not begun before. */
  due_at: string
  created_at: string
  started_at: string | null
  /** null also for an interrupted job that can be resumed. */
  ended_at: string | null
}

export interface JobEventTable {
  job: string
  /** From 1, without gaps, within a job. */
  seq: number
  type: string
  data: string
  at: string
}
