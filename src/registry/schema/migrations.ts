// How the tables came to be, by name in the order of the alphabet. A released migration is never edited.
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { ARCHIVE } from './schema-archive.ts'
import { CHALLENGERS } from './schema-challengers.ts'
import { EVALUATIONS } from './schema-evaluations.ts'
import { GOVERNANCE } from './schema-governance.ts'
import { ARCHIVE_JOBS, COMPARISON_JOBS, JOBS, NOTIFICATION_JOBS, RUN_JOBS } from './schema-jobs.ts'
import { NOTIFICATIONS } from './schema-notifications.ts'
import { SEARCH } from './schema-search.ts'

const FIRST = [
  `create table conditions (
    id text primary key,
    name text not null,
    body_part text not null,
    kind text not null check (kind in ('binary', 'single-label', 'multi-label')),
    classes text not null check (json_valid(classes)),
    policy text not null check (policy in ('pinned', 'follow')),
    gate_metric text not null,
    gate_margin real not null check (gate_margin between 0 and 1),
    operating_point text,
    active_version integer references versions (id),
    active_activation text references activations (id),
    challenger_version integer references versions (id),
    challenger_mode text check (challenger_mode in ('shadow', 'split')),
    challenger_share real check (challenger_share between 0 and 1),
    created_at text not null,
    check ((active_version is null) = (active_activation is null)),
    check ((challenger_version is null) = (challenger_mode is null))
  ) strict`,
  `create table versions (
    id integer primary key autoincrement,
    condition text not null references conditions (id),
    name text not null,
    n integer not null check (n >= 1),
    sha256 text not null check (length(sha256) = 64),
    architecture text not null,
    status text not null check (status in ('verified', 'unevaluated', 'quarantined', 'deleted')),
    status_reason text,
    created_at text not null,
    registered_at text not null,
    registered_by text not null,
    registered_via text not null,
    verified_at text,
    size_bytes integer not null check (size_bytes >= 0),
    accuracy real,
    balanced_accuracy real,
    auc real,
    sensitivity real,
    specificity real,
    f1 real,
    demonstration integer not null check (demonstration in (0, 1)),
    manifest text not null check (json_valid(manifest)),
    lineage text not null check (json_valid(lineage)),
    notes text not null,
    search_text text not null,
    unique (condition, name, n)
  ) strict`,
  // A deleted package may be imported again under a new number; a digest that is there may not.
  `create unique index versions_digest on versions (sha256) where status <> 'deleted'`,
  `create index versions_created on versions (created_at, id)`,
  `create index versions_condition on versions (condition, status)`,
  `create table version_counters (
    condition text not null,
    name text not null,
    last_n integer not null check (last_n >= 0),
    primary key (condition, name)
  ) strict`,
  `create table version_tags (
    version integer not null references versions (id) on delete cascade,
    tag text not null,
    primary key (version, tag)
  ) strict, without rowid`,
  `create index version_tags_tag on version_tags (tag)`,
  `create table activations (
    seq integer primary key autoincrement,
    id text not null unique,
    condition text not null references conditions (id),
    version text not null,
    sha256 text,
    previous text,
    at text not null,
    by text not null,
    via text not null check (via in ('page', 'api', 'cli', 'file', 'policy')),
    kind text not null check (kind in ('activate', 'rollback', 'adopted')),
    reason text not null,
    outcome text not null check (outcome in ('pending', 'activated', 'refused')),
    steps text not null check (json_valid(steps))
  ) strict`,
  `create index activations_condition on activations (condition, seq)`,
  // The history is append-only: nothing leaves it, and a line that is decided keeps its meaning.
  `create trigger activations_keep before delete on activations begin
    select raise(abort, 'the history is never deleted');
  end`,
  `create trigger activations_decided before update on activations
    when old.outcome = 'refused' or new.id <> old.id or new.version <> old.version begin
    select raise(abort, 'the history is never rewritten');
  end`,
  `create table changes (
    seq integer primary key autoincrement,
    subject text not null,
    field text not null,
    value text not null check (json_valid(value)),
    at text not null,
    by text not null,
    via text not null
  ) strict`,
  `create index changes_subject on changes (subject, seq)`,
  `create table predictions (
    seq integer primary key autoincrement,
    id text not null unique,
    condition text not null,
    version text not null,
    at text not null,
    expires_at text not null,
    body text not null check (json_valid(body)),
    grid blob,
    grid_width integer,
    grid_height integer,
    grid_scale real,
    image_file text,
    check ((grid is null) = (grid_width is null) and (grid is null) = (grid_height is null)),
    check (grid is null or length(grid) = 4 * grid_width * grid_height)
  ) strict`,
  `create index predictions_expiry on predictions (expires_at)`,
  `create index predictions_condition on predictions (condition, seq)`,
  `create table prediction_tombstones (id text primary key, gone_at text not null) strict, without rowid`,
  `create table feedback (
    seq integer primary key autoincrement,
    prediction text not null references predictions (id) on delete cascade,
    verdict text not null check (verdict in ('agree', 'disagree', 'unsure')),
    label text,
    comment text,
    at text not null,
    by text not null
  ) strict`,
  `create index feedback_prediction on feedback (prediction)`,
]

const TRAINING = [
  `create table datasets (
    id text primary key,
    path text not null unique,
    name text not null,
    state text not null check (state in ('scanning', 'scanned', 'preparing', 'prepared', 'failed')),
    reason text,
    scan text check (scan is null or json_valid(scan)),
    prepared text check (prepared is null or json_valid(prepared)),
    created_at text not null,
    scanned_at text,
    prepared_at text
  ) strict`,
  `create table runs (
    seq integer primary key autoincrement,
    id text not null unique,
    condition text not null references conditions (id),
    dataset text not null references datasets (id),
    architecture text not null,
    preset text not null,
    settings text not null check (json_valid(settings)),
    state text not null check (state in
      ('queued', 'preparing', 'running', 'paused', 'interrupted', 'cancelled', 'failed', 'finished')),
    reason text,
    offer text check (offer is null or json_valid(offer)),
    progress text not null check (json_valid(progress)),
    version text,
    lineage text not null check (json_valid(lineage)),
    attempts integer not null check (attempts >= 0),
    created_at text not null,
    started_at text,
    ended_at text,
    by text not null,
    via text not null,
    check ((state = 'finished') = (version is not null))
  ) strict`,
  `create index runs_state on runs (state, seq)`,
  `create table run_events (
    run text not null references runs (id) on delete cascade,
    seq integer not null check (seq >= 1),
    type text not null check (type in ('state', 'epoch', 'log')),
    data text not null check (json_valid(data)),
    at text not null,
    primary key (run, seq)
  ) strict, without rowid`,
]

async function run(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const BIN = [
  `alter table versions add column deleted_at text`,
  // When its package left the bin for good.
  `alter table versions add column emptied_at text`,
  `update versions set deleted_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where status = 'deleted'`,
]

const PRECISION = [
  // Whatever was activated before answered in float32; a line under way says null until it is decided.
  `alter table activations add column precision text default 'float32'
    check (precision in ('float32', 'int8'))`,
]

const FORGETTING = [
  // Images whose rows are gone and whose files are still to be removed.
  `create table forgotten_images (name text primary key) strict, without rowid`,
  // A vote is kept as it was given; only the ids of forgotten predictions leave it.
  `drop trigger blind_readings_voted`,
  `create trigger blind_readings_voted before update of seq, id, condition, a_version, b_version, a_label, b_label, swapped,
    started_at, label, read_at, preference, voted_at, by on blind_readings when old.voted_at is not null begin
    select raise(abort, 'a vote is never changed');
  end`,
]

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-registry': { up: (db) => run(db, FIRST) },
  '0002-training': { up: (db) => run(db, TRAINING) },
  '0003-challengers': { up: (db) => run(db, CHALLENGERS) },
  '0004-bin': { up: (db) => run(db, BIN) },
  '0005-search': { up: (db) => run(db, SEARCH) },
  '0006-rereading': {
    up: (db) => run(db, ['create index predictions_version on predictions (version, seq)']),
  },
  '0007-governance': { up: (db) => run(db, GOVERNANCE) },
  '0008-precision': { up: (db) => run(db, PRECISION) },
  '0009-labels': {
    up: (db) =>
      run(db, [
        `alter table datasets add column label_check text check (label_check is null or json_valid(label_check))`,
      ]),
  },
  '0010-evaluations': { up: (db) => run(db, EVALUATIONS) },
  '0011-notifications': { up: (db) => run(db, NOTIFICATIONS) },
  '0012-archive': { up: (db) => run(db, ARCHIVE) },
  '0013-jobs': { up: (db) => run(db, JOBS) },
  '0014-comparison-jobs': { up: (db) => run(db, COMPARISON_JOBS) },
  '0015-archive-jobs': { up: (db) => run(db, ARCHIVE_JOBS) },
  '0016-notification-jobs': { up: (db) => run(db, NOTIFICATION_JOBS) },
  '0017-forgetting': { up: (db) => run(db, FORGETTING) },
  '0018-run-jobs': { up: (db) => run(db, RUN_JOBS) },
}
