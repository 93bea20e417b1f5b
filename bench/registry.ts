// How long lists of versions take with 100,000 of them, each with a manifest of its usual size.
//   node bench/registry.ts [versions]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCondition, listConditions } from '../src/registry/conditions/conditions.ts'
import { openRegistry } from '../src/registry/home/open-registry.ts'
import type { Db } from '../src/registry/schema/database.ts'
import {
  listArchitectures,
  listVersions,
  type VersionListing,
} from '../src/registry/versions/version-list.ts'

const VERSIONS = Number(process.argv[2] ?? 100_000)
const ROUNDS = 15
/** Rows of one insert: SQLite takes 32,766 values at most. */
const BATCH = 1000
const STATUSES: Readonly<Record<number, 'quarantined' | 'deleted'>> = {
  7: 'quarantined',
  9: 'deleted',
  509: 'deleted',
}
const CONDITIONS = [
  'pneumonia',
  'cardiomegaly',
  'osteoporosis',
  'osteoarthritis',
  'limb-abnormality',
  'skin-lesion',
]
const ARCHITECTURES = [
  'DenseNet121',
  'ResNet50',
  'EfficientNetB0',
  'VGG16',
  'ViT_B16',
  'MobileNetV2',
  'Custom_CNN',
]

const QUESTIONS: Readonly<Record<string, VersionListing>> = {
  newest: {},
  'best accuracy': { sort: 'accuracy' },
  'worst AUC': { sort: 'auc', order: 'asc' },
  'by name': { sort: 'name' },
  'one condition, best AUC': { condition: 'pneumonia', sort: 'auc' },
  'one condition and architecture': { condition: 'skin-lesion', architecture: 'densenet121' },
  'accuracy of 0.99 and more': { minAccuracy: 0.99 },
  'accuracy of 0.5 and more by size': { minAccuracy: 0.5, sort: 'size' },
  'a month': { from: '2026-02-01', to: '2026-02-28' },
  'a rare tag': { tag: 'champion' },
  'a common tag': { tag: 'nightly', sort: 'accuracy' },
  'a rare word': { q: 'effusions4711' },
  'a common word': { q: 'pneumonia' },
  'two words and a filter': {
    q: 'densenet121 stan',
    condition: 'skin-lesion',
    minAccuracy: 0.8,
    sort: 'auc',
  },
  'a word that nothing has': { q: 'zebra' },
  quarantined: { status: 'quarantined' },
}

const dataDir = await mkdtemp(join(tmpdir(), 'roentgen-bench-'))
try {
  const registry = await openRegistry({ dataDir })
  const { db } = registry
  await fill(db)
  let slowest = 0
  for (const [what, listing] of Object.entries(QUESTIONS)) {
    const { times, result } = await timed(() => listVersions(db, listing))
    slowest = Math.max(slowest, medianOf(times))
    say(`${what} (${result.total})`, times)
    if (result.nextCursor) {
      const { nextCursor: cursor } = result
      say('  its second page', (await timed(() => listVersions(db, { ...listing, cursor }))).times)
    }
  }
  say('all architectures', (await timed(() => listArchitectures(db))).times)
  say('all conditions', (await timed(() => listConditions(db))).times)
  console.log(`slowest list: ${slowest.toFixed(1)} ms of ${VERSIONS} versions`)
  await registry.close()
} finally {
  await rm(dataDir, { recursive: true, force: true })
}

function say(what: string, times: readonly number[]): void {
  const figures = [
    `median ${medianOf(times).toFixed(1)}`,
    `min ${Math.min(...times).toFixed(1)} ms`,
  ]
  console.log(`${what.padEnd(44)} ${figures.map((text) => text.padStart(14)).join(' ')}`)
}

function medianOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
}

async function timed<T>(work: () => Promise<T>): Promise<{ times: number[]; result: T }> {
  let result = await work()
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    result = await work()
    times.push(performance.now() - started)
  }
  return { times, result }
}

/** Straight into the tables: registering that many packages is not what is measured. */
async function fill(db: Db): Promise<void> {
  const file = { size: 1000, sha256: 'a'.repeat(64), md5: 'b'.repeat(32) }
  const files = Array.from({ length: 40 }, (_, i) => ({ path: `results/file-${i}.png`, ...file }))
  const rest = { classes: [], metrics: null, operatingPoints: [] }
  const manifest = JSON.stringify({ kind: 'binary', ...rest, files })
  const actor = { by: 'bench', via: 'api' } as const
  const classes = [
    { label: 'NO', positive: false },
    { label: 'YES', positive: true },
  ]
  for (const id of CONDITIONS) {
    const condition = { id, name: id, bodyPart: '', kind: 'binary' as const, classes }
    await createCondition(db, { condition, actor, clock: () => new Date() })
  }
  for (let from = 0; from < VERSIONS; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, VERSIONS - from) }, (_, k) => from + k)
    await db.transaction().execute(async (trx) => {
      await trx
        .insertInto('versions')
        .values(batch.map((i) => rowOf(i, manifest)))
        .execute()
      const tags = batch.flatMap((i) => [
        ...(i % 3 === 0 ? [{ version: i + 1, tag: 'nightly' }] : []),
        ...(i % 20_000 === 5 ? [{ version: i + 1, tag: 'champion' }] : []),
      ])
      await trx.insertInto('version_tags').values(tags).execute()
    })
  }
}

function rowOf(i: number, manifest: string) {
  const condition = CONDITIONS[i % CONDITIONS.length] ?? ''
  const architecture = ARCHITECTURES[Math.floor(i / 6) % ARCHITECTURES.length] ?? ''
  const name = `${architecture.toLowerCase().replace('_', '-')}-${i % 3 === 0 ? 'quick' : 'standard'}`
  // 10,007 is prime: scores that follow no other order.
  const score = i % 20 === 0 ? null : ((i * 7919) % 10_007) / 10_007
  const at = new Date(Date.UTC(2025, 0, 1) + i * 300_000).toISOString()
  const notes = i % 50_000 === 4711 ? 'effusions4711' : ''
  return {
    id: i + 1,
    condition,
    name,
    n: i + 1,
    sha256: i.toString(16).padStart(64, '0'),
    architecture,
    status: STATUSES[i % 1000] ?? ('verified' as const),
    status_reason: null,
    deleted_at: null,
    emptied_at: null,
    created_at: at,
    registered_at: at,
    registered_by: 'bench',
    registered_via: 'api',
    verified_at: at,
    size_bytes: 1_000_000 + ((i * 104_729) % 90_000_000),
    accuracy: score,
    balanced_accuracy: score,
    auc: score,
    sensitivity: score,
    specificity: score,
    f1: score,
    demonstration: 0,
    manifest,
    lineage: '{}',
    notes,
    search_text: `${condition}/${name}@${i + 1} ${architecture} ${notes}`.toLowerCase(),
  }
}
