// The tables of the way from and to an image archive. No UID, name or path is in them: an image is known by a digest of its
// SOP Instance UID.
import type { Generated } from 'kysely'

export const ARCHIVE = [
  `create table archive_rules (
    condition text primary key references conditions (id),
    enabled integer not null check (enabled in (0, 1)),
    modalities text not null check (json_valid(modalities)),
    body_parts text not null check (json_valid(body_parts)),
    unnamed_part integer not null check (unnamed_part in (0, 1))
  ) strict, without rowid`,
  `create table archive_jobs (
    seq integer primary key autoincrement,
    key text not null unique check (length(key) = 64),
    source text not null check (source in ('stow', 'folder', 'archive')),
    state text not null check (state in ('waiting', 'done', 'skipped', 'failed')),
    detail text,
    results text not null check (json_valid(results)),
    attempts integer not null check (attempts >= 0),
    due_at text not null,
    received_at text not null,
    ended_at text
  ) strict`,
  `create index archive_jobs_due on archive_jobs (state, due_at)`,
]

export interface ArchiveRuleTable {
  condition: string
  enabled: number
  /** JSON: ["DX", …] */
  modalities: string
  /** JSON: Body Part Examined, ["CHEST", …] */
  body_parts: string
  /** Also images that name no body part. */
  unnamed_part: number
}

/** What was made of an image; state, attempts and times are those of its job. */
export interface ArchiveJobTable {
  seq: Generated<number>
  /** SHA-256 of the SOP Instance UID. */
  key: string
  source: 'stow' | 'folder' | 'archive'
  /** JSON: [{condition, prediction, delivered}] */
  results: string
  /** 1: no condition reads such images. */
  skipped: number
}
