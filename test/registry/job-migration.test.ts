// A registry from before there were jobs: what each mechanism had kept becomes jobs, and nothing of it is lost.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import SQLite from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { runEvent } from '../../src/app/runs/run-feed.ts'
import { countArchiveJobs, listArchiveJobs } from '../../src/registry/archive/archive-jobs.ts'
import { DATABASE_FILE, openRegistry } from '../../src/registry/home/open-registry.ts'
import { sqliteJobStore } from '../../src/registry/jobs/sqlite-job-store.ts'
import { listDeliveries } from '../../src/registry/notifications/notification-deliveries.ts'
import { listPairedEntries, listPairedJobs } from '../../src/registry/paired/paired-jobs.ts'
import { lastLogLines } from '../../src/registry/runs/run-events.ts'
import { NO_PROGRESS } from '../../src/registry/runs/run-record.ts'
import { getRun, listRuns, runsInState } from '../../src/registry/runs/runs.ts'
import { MIGRATIONS } from '../../src/registry/schema/migrations.ts'
import { makeTempDir } from '../support/package.ts'

const AT = '2026-01-01T00:00:00.000Z'
const END = '2026-01-02T00:00:00.000Z'
const RUN_STATES = ['queued', 'preparing', 'running', 'paused', 'interrupted', 'failed', 'finished']
const quoted = (value: unknown) => (value === null ? 'null' : `'${String(value)}'`)

function row(table: string, values: Readonly<Record<string, unknown>>): string {
  const columns = Object.keys(values)
  return `insert into ${table} (${columns}) values (${Object.values(values).map(quoted)})`
}

function oldRows(): string[] {
  const condition = {
    ...{ id: 'spots', name: 'Spots', body_part: 'chest', kind: 'binary', classes: '[]' },
    ...{ policy: 'pinned', gate_metric: 'auc', gate_margin: 0, created_at: AT },
  }
  const runs = RUN_STATES.flatMap((state, k) => {
    const hasEnded = state === 'failed' || state === 'finished'
    const phase = state === 'running' ? 'training' : null
    const progress = JSON.stringify({ ...NO_PROGRESS, phase, epoch: 2, epochs: 6 })
    const data = { state, reason: null, version: null, offer: null, phase }
    return [
      row('runs', {
        ...{ id: `run-${state}`, condition: 'spots', dataset: 'ds', architecture: 'tiny_cnn' },
        ...{ preset: 'quick', settings: '{"name":null,"hyperparameters":{"epochs":6}}', state },
        ...{ reason: `because ${state}`, offer: null, progress, lineage: '{"set":"s1"}' },
        ...{ version: state === 'finished' ? 'spots/tiny@1' : null, attempts: k, created_at: AT },
        ...{ started_at: AT, ended_at: hasEnded ? END : null, by: 'anna', via: 'api' },
      }),
      row('run_events', {
        ...{ run: `run-${state}`, seq: 1, type: 'log', data: '{"text":"begun"}', at: AT },
      }),
      row('run_events', {
        ...{ run: `run-${state}`, seq: 2, type: 'state', data: JSON.stringify(data), at: AT },
      }),
    ]
  })
  const paired = ['running', 'finished', 'failed', 'ended'].flatMap((state) => [
    row('paired_jobs', {
      ...{ id: `ab-${state}`, kind: 'folder', condition: 'spots', a: 'spots/t@1', b: 'spots/t@2' },
      ...{ folder: 'chest', split: 'all', state, reason: null, total: 3, by: 'anna', via: 'page' },
      ...{ created_at: AT, ended_at: state === 'running' ? null : END },
    }),
    row('paired_lines', {
      ...{ job: `ab-${state}`, n: 1, image: '1.png', is_different: 0, body: '{"image":"1.png"}' },
    }),
  ])
  const archive = ['waiting', 'done', 'skipped', 'failed'].map((state, k) =>
    row('archive_jobs', {
      ...{ key: String(k).repeat(64), source: 'stow', state, detail: `because ${state}` },
      ...{ results: '[]', attempts: k, due_at: AT, received_at: AT },
      ended_at: state === 'waiting' ? null : END,
    }),
  )
  const target = {
    ...{ id: 'nt', kind: 'webhook', name: 'Lab', address: 'https://example.org', secret: 's' },
    ...{ events: '[]', enabled: 1, created_at: AT, by: 'anna', via: 'page' },
  }
  const deliveries = ['waiting', 'delivered', 'failed'].map((state) =>
    row('notification_deliveries', {
      ...{ id: `nd-${state}`, target: 'nt', event: 'run.failed', subject: state, message: '{}' },
      ...{ state, attempts: 2, next_at: state === 'waiting' ? END : null, detail: 'Answered 503.' },
      ...{ created_at: AT, ended_at: state === 'waiting' ? null : END },
    }),
  )
  const dataset = { id: 'ds', path: 'chest', name: 'chest', state: 'scanned', created_at: AT }
  return [
    row('conditions', condition),
    row('datasets', dataset),
    ...runs,
    ...paired,
    ...archive,
    row('notification_targets', target),
    ...deliveries,
  ]
}

test('runs, comparisons, images and messages from before there were jobs are jobs afterwards', async (t) => {
  const dataDir = await makeTempDir()
  t.after(() => rm(dataDir, { recursive: true, force: true }))
  const sqlite = new SQLite(join(dataDir, DATABASE_FILE))
  sqlite.pragma('foreign_keys = ON')
  const old = new Kysely<unknown>({ dialect: new SqliteDialect({ database: sqlite }) })
  const provider = { getMigrations: async () => ({ ...MIGRATIONS }) }
  const { error } = await new Migrator({ db: old, provider }).migrateTo('0012-archive')
  assert.equal(error, undefined)
  for (const statement of oldRows()) await sql.raw(statement).execute(old)
  await old.destroy()

  const { db, close } = await openRegistry({ dataDir })
  t.after(close)
  const { rows } = await sql<object>`pragma foreign_key_check`.execute(db)
  assert.deepEqual(rows, [])
  for (const [k, state] of RUN_STATES.entries()) {
    const run = await getRun(db, `run-${state}`)
    assert.deepEqual(
      [run.state, run.reason, run.attempts, run.by, run.createdAt, run.startedAt],
      [state, `because ${state}`, k, 'anna', AT, AT],
    )
    assert.equal(run.endedAt, state === 'failed' || state === 'finished' ? END : null)
    assert.equal(run.version, state === 'finished' ? 'spots/tiny@1' : null)
    assert.deepEqual(run.hyperparameters, { epochs: 6 })
    const filtered = await listRuns(db, { state: run.state })
    assert.deepEqual(
      filtered.items.map(({ id }) => id),
      [run.id],
    )
    assert.deepEqual(await lastLogLines(db, { run: run.id, limit: 5 }), [{ at: AT, text: 'begun' }])
    const [, event] = await sqliteJobStore(db).events({ job: run.id, after: 0 })
    assert.ok(event)
    const told = runEvent({ id: '2', type: event.type, data: event.data }, run)
    assert.equal(
      (told?.data as { state: string } | undefined)?.state,
      state,
      'events tell what they told',
    )
  }
  assert.deepEqual(
    (await runsInState(db, ['preparing', 'queued'])).map(({ id }) => id),
    ['run-queued', 'run-preparing'],
  )
  const paired = (await listPairedJobs(db, { limit: 10 })).map((job) => [job.id, job.state])
  assert.deepEqual(paired, [
    ['ab-ended', 'cancelled'],
    ['ab-failed', 'failed'],
    ['ab-finished', 'finished'],
    ['ab-running', 'interrupted'],
  ])
  assert.equal((await listPairedEntries(db, { job: 'ab-ended', limit: 5 })).length, 1)
  assert.deepEqual(await countArchiveJobs(db), { waiting: 1, done: 1, skipped: 1, failed: 1 })
  assert.deepEqual(
    (await listArchiveJobs(db, 10)).map(({ state, detail, attempts }) => [state, detail, attempts]),
    ['failed', 'skipped', 'done', 'waiting'].map((state, k) => [state, `because ${state}`, 3 - k]),
  )
  assert.deepEqual(
    (await listDeliveries(db, { limit: 10 })).map((one) => [one.state, one.attempts, one.nextAt]),
    [
      ['failed', 2, null],
      ['delivered', 2, null],
      ['waiting', 2, END],
    ],
  )
  const { items } = await sqliteJobStore(db).list({ limit: 500 })
  assert.equal(items.length, RUN_STATES.length + 4 + 4 + 3)
})
