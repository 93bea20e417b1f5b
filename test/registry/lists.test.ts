// Lists and settings: versions by filter, sort and page; history by time; conditions, notes and tags.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from 'kysely'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { listHistory } from '../../src/registry/activation/activations.ts'
import { listChanges } from '../../src/registry/conditions/changes.ts'
import {
  operatingPointInUse,
  patchCondition,
} from '../../src/registry/conditions/condition-settings.ts'
import {
  createCondition,
  getCondition,
  listConditions,
} from '../../src/registry/conditions/conditions.ts'
import { listVersions, type VersionListing } from '../../src/registry/versions/version-list.ts'
import { getVersion, patchVersion } from '../../src/registry/versions/versions.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

async function withFive(home: TestHome): Promise<void> {
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05']
  for (const [index, day] of days.entries()) {
    await home.register({
      seed: index,
      accuracy: index === 2 ? null : 0.9 - index / 100,
      fields: {
        createdAt: `${day}T12:00:00Z`,
        name: index < 3 ? 'tiny-quick' : 'dense-long',
        architecture: index < 3 ? 'tiny_cnn' : 'DenseNet121',
        tags: index === 4 ? ['champion'] : [],
      },
    })
  }
}

test('versions are filtered by every filter of the contract', async (t) => {
  const home = await openApplication(t)
  await withFive(home)
  const ids = async (filter: VersionListing): Promise<string[]> =>
    (await listVersions(home.ctx.db, { sort: 'createdAt', order: 'asc', ...filter })).items.map(
      (version) => version.id.replace('pneumonia/', ''),
    )
  assert.deepEqual(await ids({ condition: 'covid' }), [])
  assert.deepEqual(await ids({ architecture: 'densenet121' }), ['dense-long@1', 'dense-long@2'])
  assert.deepEqual(await ids({ status: 'unevaluated' }), ['tiny-quick@3'])
  assert.deepEqual(await ids({ tag: 'champion' }), ['dense-long@2'])
  assert.deepEqual(await ids({ minAccuracy: 0.89 }), ['tiny-quick@1', 'tiny-quick@2'])
  assert.deepEqual(await ids({ from: '2026-01-02T00:00:00Z', to: '2026-01-03T23:00:00+00:00' }), [
    'tiny-quick@2',
    'tiny-quick@3',
  ])
  assert.deepEqual(await ids({ q: 'LONG champ' }), ['dense-long@2'])
  assert.deepEqual(await ids({ q: '100%' }), [])
  assert.deepEqual(await ids({ q: '%' }), [])
  assert.deepEqual(await ids({ q: 'tiny-quick@2' }), ['tiny-quick@2'])
  assert.deepEqual(await ids({ q: 'pneumo dense' }), ['dense-long@1', 'dense-long@2'])
  assert.deepEqual(await ids({ q: '" OR near(' }), [], 'words are words, not operators')
  await assert.rejects(ids({ minAccuracy: 90 }), { code: 'invalid' })
  await assert.rejects(ids({ from: 'yesterday' }), { code: 'invalid' })
})

test('every sort gives each version once over its pages, with those without a value last', async (t) => {
  const home = await openApplication(t)
  await withFive(home)
  for (const sort of ['createdAt', 'accuracy', 'name', 'architecture', 'size'] as const) {
    for (const order of ['asc', 'desc'] as const) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await listVersions(home.ctx.db, { sort, order, limit: 2, cursor })
        assert.equal(page.total, 5)
        seen.push(...page.items.map((version) => version.id))
        cursor = page.nextCursor ?? undefined
      } while (cursor)
      assert.equal(new Set(seen).size, 5, `${sort} ${order}: ${seen.join(' ')}`)
      assert.equal(seen.length, 5)
      if (sort === 'accuracy') assert.equal(seen.at(-1), 'pneumonia/tiny-quick@3')
    }
  }
  const { nextCursor } = await listVersions(home.ctx.db, { sort: 'name', limit: 2 })
  const other = { sort: 'size', cursor: nextCursor ?? '' } as const
  await assert.rejects(listVersions(home.ctx.db, other), { code: 'invalid' })
  await assert.rejects(listVersions(home.ctx.db, { cursor: 'x' }), { code: 'invalid' })
})

test('the history tells what answered at a time, and is read page by page', async (t) => {
  const { ctx, register } = await openApplication(t)
  const versions = [await register({ seed: 1 }), await register({ seed: 2 })]
  const times = ['2026-03-01T10:00:00Z', '2026-03-03T10:00:00Z', '2026-03-05T10:00:00Z']
  for (const [index, time] of times.entries()) {
    const at = { ...ctx, clock: () => new Date(time) }
    const version = versions[index % 2]
    assert.ok(version)
    await activateVersion(at, { condition: 'pneumonia', version, reason: '', ...ANNA })
  }
  const at = async (time: string) =>
    (await listHistory(ctx.db, { condition: 'pneumonia', at: time })).items.map(
      (line) => line.version,
    )
  assert.deepEqual(await at('2026-02-01T00:00:00Z'), [])
  assert.deepEqual(await at('2026-03-01T11:00:00+01:00'), ['pneumonia/tiny-quick@1'])
  assert.deepEqual(await at('2026-03-01T10:59:59+01:00'), [])
  assert.deepEqual(await at('2026-03-04T14:05:00Z'), ['pneumonia/tiny-quick@2'])
  assert.deepEqual(await at('2027-01-01T00:00:00 01:00'), ['pneumonia/tiny-quick@1'])
  await assert.rejects(at('now'), { code: 'invalid' })
  const first = await listHistory(ctx.db, { condition: 'pneumonia', limit: 2 })
  assert.equal(first.items.length, 2)
  const cursor = first.nextCursor ?? ''
  const second = await listHistory(ctx.db, { condition: 'pneumonia', limit: 2, cursor })
  assert.deepEqual(
    second.items.map((line) => line.at),
    ['2026-03-01T10:00:00.000Z'],
  )
  assert.equal(second.nextCursor, null)
})

test('the history can neither be deleted nor rewritten, not even by SQL', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register({ accuracy: null })
  const request = { condition: 'pneumonia', version, reason: '', ...ANNA }
  await assert.rejects(activateVersion(ctx, request), { code: 'unevaluated' })
  await assert.rejects(ctx.db.deleteFrom('activations').execute(), /never deleted/)
  const rewrite = ctx.db.updateTable('activations').set({ outcome: 'activated' })
  await assert.rejects(rewrite.execute(), /never rewritten/)
})

test('conditions are made, changed with a record of who, and refuse what cannot be', async (t) => {
  const { ctx, register } = await openApplication(t)
  const { db, clock } = ctx
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: 'PNEUMONIA', positive: true },
  ]
  const fresh = {
    id: 'Pneumonia',
    name: 'Pneumonia',
    bodyPart: 'chest',
    kind: 'binary',
    classes,
  } as const
  const made = await createCondition(db, { condition: fresh, actor: ANNA, clock })
  assert.equal(made.id, 'pneumonia')
  const again = createCondition(db, { condition: fresh, actor: ANNA, clock })
  await assert.rejects(again, { code: 'conflict' })
  for (const id of ['inbox', 'logs', '../x', 'a b', 'x'.repeat(65)]) {
    const wrong = createCondition(db, { condition: { ...fresh, id }, actor: ANNA, clock })
    await assert.rejects(wrong, { code: 'invalid' })
  }
  const change = (patch: Parameters<typeof patchCondition>[1]['patch']) =>
    patchCondition(db, { id: 'pneumonia', patch, actor: ANNA, clock })
  const three = [...classes, { label: 'OTHER', positive: true }]
  await assert.rejects(change({ classes: three }), { code: 'invalid', message: /exactly two/ })
  assert.equal((await change({ kind: 'single-label', classes: three })).classes.length, 3)
  await change({ kind: 'binary', classes })
  await register()
  await assert.rejects(change({ classes }), { code: 'conflict' })
  assert.equal((await change({ policy: 'follow', gate: { margin: 0.1 } })).gate.margin, 0.1)
  await assert.rejects(change({ operatingPoint: 'youden' }), { code: 'no-active-version' })
  const [last] = await listChanges(db, 'pneumonia')
  assert.equal(last?.by, 'anna')
  await assert.rejects(getCondition(db, 'nothing'), { code: 'unknown-condition' })
  assert.equal((await listConditions(db)).length, 1)
})

test('the operating point in use must be one of the active version', async (t) => {
  const { ctx, register } = await openApplication(t)
  const { db, clock } = ctx
  const version = await register()
  await activateVersion(ctx, { condition: 'pneumonia', version, reason: '', ...ANNA })
  const use = (operatingPoint: string | null) =>
    patchCondition(db, { id: 'pneumonia', patch: { operatingPoint }, actor: ANNA, clock })
  await assert.rejects(use('none'), { code: 'unknown-operating-point', message: /youden/ })
  const condition = await use('youden')
  assert.equal(operatingPointInUse(condition, version)?.name, 'youden')
  assert.equal(operatingPointInUse(await use(null), version)?.name, 'youden')
})

test('notes and tags change the row, never the package', async (t) => {
  const { ctx, register } = await openApplication(t)
  const version = await register()
  const patch = { notes: 'Read by Dr Röntgen', tags: [' b', 'a', 'a', ''] }
  const changed = await patchVersion(ctx.db, { ref: version, patch, actor: ANNA, clock: ctx.clock })
  assert.deepEqual(changed.tags, ['a', 'b'])
  assert.equal((await listVersions(ctx.db, { q: 'röntgen' })).total, 1)
  assert.equal((await getVersion(ctx.db, version)).sha256, version.sha256)
  const long = { tags: ['x'.repeat(65)] }
  const wrong = patchVersion(ctx.db, { ref: version, patch: long, actor: ANNA, clock: ctx.clock })
  await assert.rejects(wrong, { code: 'invalid' })
})

test('a long list is walked in its order without a gap or a twin, by every filter', async (t) => {
  const { ctx, register } = await openApplication(t)
  const first = await register({ seed: 1 })
  // Rows straight from the first: it is the order that is looked at, more of them than are sorted at once.
  const columns = `condition, architecture, status, status_reason, registered_at, registered_by, registered_via,
    verified_at, size_bytes, demonstration, manifest, lineage, notes, search_text`
  await sql`
    with recursive numbers (k) as (select 2 union all select k + 1 from numbers where k < 1300)
    insert into versions (name, n, sha256, created_at, accuracy, ${sql.raw(columns)})
    select 'tiny-quick', k, printf('%064x', k), strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + k / 7, 'unixepoch'),
      case when k % 5 = 0 then null else (k * 37 % 101) / 101.0 end, ${sql.raw(columns)}
    from numbers, versions where versions.n = 1`.execute(ctx.db)
  for (const filter of [{}, { q: 'tiny' }, { condition: first.condition }] as const) {
    for (const order of ['asc', 'desc'] as const) {
      const seen: { id: string; accuracy: number | null }[] = []
      const accuracies = new Map<string, number | null>()
      for (const row of await ctx.db.selectFrom('versions').select(['n', 'accuracy']).execute()) {
        accuracies.set(`pneumonia/tiny-quick@${row.n}`, row.accuracy)
      }
      let cursor: string | undefined
      do {
        const listing = { ...filter, sort: 'accuracy', order, limit: 400, cursor } as const
        const page = await listVersions(ctx.db, listing)
        assert.equal(page.total, 1300)
        seen.push(...page.items.map(({ id }) => ({ id, accuracy: accuracies.get(id) ?? null })))
        cursor = page.nextCursor ?? undefined
      } while (cursor)
      assert.equal(new Set(seen.map((one) => one.id)).size, 1300)
      const values = seen.map((one) => one.accuracy)
      const known = values.filter((one) => one !== null)
      assert.ok(
        values.slice(known.length).every((one) => one === null),
        'without a value comes last',
      )
      assert.deepEqual(
        known,
        known.toSorted((a, b) => (order === 'asc' ? a - b : b - a)),
      )
    }
  }
})
