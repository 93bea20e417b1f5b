// Tables of what people decide beside activations: names that point at versions, rules of promotion, keys that are
// trusted, blinded readings, and two versions on many images. Reasons of changes of settings.
import type { Generated } from 'kysely'

export const GOVERNANCE = [
  `alter table changes add column reason text`,
  `create table aliases (
    condition text not null references conditions (id),
    alias text not null,
    version integer not null references versions (id),
    primary key (condition, alias)
  ) strict, without rowid`,
  `create index aliases_version on aliases (version)`,
  `create table promotion_rules (
    seq integer primary key autoincrement,
    condition text not null references conditions (id),
    min_cases integer not null check (min_cases >= 1),
    margin real not null check (margin between 0 and 1),
    reason text not null,
    at text not null,
    by text not null,
    via text not null,
    ended_at text
  ) strict`,
  `create unique index promotion_rules_in_force on promotion_rules (condition) where ended_at is null`,
  // What a rule did with a challenge: it acts once.
  `alter table challenges add column promotion text check (promotion is null or json_valid(promotion))`,
  `create table trusted_keys (
    fingerprint text primary key check (length(fingerprint) = 64),
    name text not null,
    public_key text not null,
    at text not null,
    by text not null,
    via text not null,
    revoked_at text,
    revoked_by text,
    revoked_reason text
  ) strict, without rowid`,
  `create table blind_readings (
    seq integer primary key autoincrement,
    id text not null unique,
    condition text not null references conditions (id),
    a_version text not null,
    b_version text not null,
    a_prediction text not null,
    b_prediction text not null,
    a_label text not null,
    b_label text not null,
    swapped integer not null check (swapped in (0, 1)),
    started_at text not null,
    label text,
    read_at text,
    preference text check (preference in ('a', 'b', 'alike', 'neither')),
    voted_at text,
    by text,
    check (a_version <> b_version),
    check (voted_at is null or read_at is not null),
    check ((preference is null) = (voted_at is null))
  ) strict`,
  `create index blind_readings_pair on blind_readings (a_version, b_version)`,
  // A vote is kept as it was given.
  `create trigger blind_readings_voted before update on blind_readings when old.voted_at is not null begin
    select raise(abort, 'a vote is never changed');
  end`,
  `create table paired_jobs (
    seq integer primary key autoincrement,
    id text not null unique,
    kind text not null check (kind in ('folder', 'reread')),
    condition text not null references conditions (id),
    a text not null,
    b text not null,
    folder text,
    split text,
    state text not null check (state in ('running', 'finished', 'failed', 'ended')),
    reason text,
    total integer not null check (total >= 0),
    summary text check (summary is null or json_valid(summary)),
    by text not null,
    via text not null,
    created_at text not null,
    ended_at text,
    check ((kind = 'folder') = (folder is not null))
  ) strict`,
  `create index paired_jobs_condition on paired_jobs (condition, seq)`,
  `create table paired_lines (
    job text not null references paired_jobs (id) on delete cascade,
    n integer not null check (n >= 1),
    image text not null,
    is_different integer not null check (is_different in (0, 1)),
    body text not null check (json_valid(body)),
    primary key (job, n)
  ) strict, without rowid`,
  `create index paired_lines_different on paired_lines (job, n) where is_different = 1`,
]

export interface AliasTable {
  condition: string
  alias: string
  version: number
}

export interface PromotionRuleTable {
  seq: Generated<number>
  condition: string
  min_cases: number
  margin: number
  reason: string
  at: string
  by: string
  via: string
  /** null while it is in force. */
  ended_at: string | null
}

export interface TrustedKeyTable {
  /** SHA-256 of the public key (SPKI, DER). */
  fingerprint: string
  name: string
  /** SPKI, DER, in base64. */
  public_key: string
  at: string
  by: string
  via: string
  revoked_at: string | null
  revoked_by: string | null
  revoked_reason: string | null
}

export interface BlindReadingTable {
  seq: Generated<number>
  id: string
  condition: string
  a_version: string
  b_version: string
  a_prediction: string
  b_prediction: string
  a_label: string
  b_label: string
  /** 1: what is shown first is b. */
  swapped: number
  started_at: string
  /** What the reader sees, before either output is shown; null when unsure. */
  label: string | null
  read_at: string | null
  preference: 'a' | 'b' | 'alike' | 'neither' | null
  voted_at: string | null
  by: string | null
}

/** What is compared; state, progress and owner are those of the job with the same id. */
export interface PairedJobTable {
  seq: Generated<number>
  id: string
  kind: 'folder' | 'reread'
  condition: string
  /** For `reread`: whose predictions are read again. */
  a: string
  b: string
  folder: string | null
  split: string | null
  summary: string | null
}

export interface PairedLineTable {
  job: string
  /** Counts from 1, in the order of reading. */
  n: number
  image: string
  is_different: number
  /** JSON: a pair, or why the image could not be read. */
  body: string
}
