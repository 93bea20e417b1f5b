// Every door through which a package comes, with every kind of package: each door must do the very same. Real packages,
// real hosts, the real command in a process of its own.
import assert from 'node:assert/strict'
import { openAsBlob } from 'node:fs'
import { appendFile, cp } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Application, openApplication } from '../../src/app/application.ts'
import { createLog } from '../../src/app/log.ts'
import { zipFolder } from '../../src/cli/folder-zip.ts'
import { readConfig } from '../../src/config.ts'
import { isAppError } from '../../src/errors.ts'
import { listHistory } from '../../src/registry/activation/activations.ts'
import { listChanges } from '../../src/registry/conditions/changes.ts'
import { createCondition, getCondition } from '../../src/registry/conditions/conditions.ts'
import { Inbox } from '../../src/registry/inbox/inbox.ts'
import { addVersion } from '../../src/registry/versions/add-version.ts'
import { findReplay } from '../../src/registry/versions/replay-golden.ts'
import { findVersionByDigest } from '../../src/registry/versions/versions.ts'
import { createApp } from '../../src/server/app.ts'
import { roentgen } from '../cli/run-cli.ts'
import { BINARY } from '../inference/tiny-package.ts'
import { type Folders, homeFolders, madePackage, TOKEN } from '../support/home.ts'

const ANNA = { by: 'anna', via: 'cli' } as const

interface Package {
  readonly dir: string
  readonly sha256: string
  readonly condition: string
}

/** A home that doors open and close as they need it. */
interface House {
  readonly folders: Folders
  open(): Promise<Application>
  close(): Promise<void>
}

/** Brings the package in; what it says when it refuses it, else undefined. */
type Door = (house: House, made: Package) => Promise<string | undefined>

async function zipped<T>(made: Package, use: (path: string) => Promise<T>): Promise<T> {
  const zip = await zipFolder(made.dir)
  try {
    return await use(zip.path)
  } finally {
    await zip.remove()
  }
}

async function posted(house: House, made: Package, o: { path: string; accept: string }) {
  const app = createApp(await house.open(), { token: TOKEN })
  return zipped(made, async (path) => {
    const body = new FormData()
    body.set('package', await openAsBlob(path), 'model.roentgen.zip')
    const init = { method: 'POST', body, headers: { accept: o.accept } }
    const response = await app.request(`http://127.0.0.1${o.path}`, init)
    return { status: response.status, text: await response.text() }
  })
}

async function taken(house: House, bring: (inboxDir: string) => Promise<void>) {
  const home = await house.open()
  const { requireSignature } = home.config
  const inbox = new Inbox(home, { steadyMs: 0, quietMs: 0, requiresTrust: requireSignature })
  await bring(home.store.inboxDir)
  // What is refused is refused at the second look at the same bytes.
  for (let i = 0; i < 2; i++) await inbox.scan()
  await inbox.whenIdle()
  const [left] = inbox.items
  assert.notEqual(left?.state, 'waiting', left?.reason)
  return left?.reason
}

const DOORS: Readonly<Record<string, Door>> = {
  API: async (house, made) => {
    const o = { path: '/api/v1/versions/import', accept: 'application/json' }
    const { status, text } = await posted(house, made, o)
    if (status < 300) return undefined
    return (JSON.parse(text) as { detail: string }).detail
  },
  page: async (house, made) => {
    const o = { path: '/models/import', accept: 'text/html' }
    const { status, text } = await posted(house, made, o)
    return status === 303 ? undefined : text
  },
  command: async (house, made) => {
    await house.close()
    const ended = await roentgen(['import', made.dir], { env: house.folders.env })
    return ended.status === 0 ? undefined : ended.stderr
  },
  'inbox, folder': (house, made) =>
    taken(house, (inboxDir) => cp(made.dir, join(inboxDir, 'arrived'), { recursive: true })),
  'inbox, zip': (house, made) =>
    taken(house, (inboxDir) => zipped(made, (path) => cp(path, join(inboxDir, 'arrived.zip')))),
  // As the supervisor of trainings and `roentgen train` end: the package was made here.
  training: async (house, made) => {
    const home = await house.open()
    const fromDir = join(house.folders.root, `trained-${made.sha256.slice(0, 8)}`)
    await cp(made.dir, fromDir, { recursive: true })
    return addVersion(home, { fromDir, actor: ANNA }).then(
      () => undefined,
      (error: unknown) => {
        if (isAppError(error)) return error.message
        throw error
      },
    )
  },
}

interface Case {
  readonly policy: 'pinned' | 'follow'
  readonly accuracy?: number
  readonly goldenError?: number
  /** One byte is added to a file that the manifest names. */
  readonly isDamaged?: true
  /** The same package comes a second time, and the outcome is looked at then. */
  readonly isTwice?: true
  readonly outcome: {
    /** What is said; nothing is listed then. */
    readonly refusal?: RegExp
    readonly status?: 'verified' | 'unevaluated'
    readonly replay?: boolean
    readonly answers?: boolean
    /** Lines of the history, newest first. */
    readonly lines?: readonly string[]
  }
}

const CASES: Readonly<Record<string, Case>> = {
  good: {
    policy: 'pinned',
    accuracy: 0.9,
    outcome: { status: 'verified', replay: true, answers: false, lines: [] },
  },
  'good-follow': {
    policy: 'follow',
    accuracy: 0.9,
    outcome: { status: 'verified', replay: true, answers: true, lines: ['activated policy'] },
  },
  twice: {
    policy: 'follow',
    accuracy: 0.9,
    isTwice: true,
    outcome: { status: 'verified', replay: true, answers: true, lines: ['activated policy'] },
  },
  unevaluated: {
    policy: 'pinned',
    outcome: { status: 'unevaluated', replay: true, answers: false, lines: [] },
  },
  'unevaluated-follow': {
    policy: 'follow',
    outcome: { status: 'unevaluated', replay: true, answers: false, lines: [] },
  },
  'golden-differs': {
    policy: 'pinned',
    accuracy: 0.9,
    goldenError: 0.2,
    outcome: { status: 'verified', replay: false, answers: false, lines: [] },
  },
  'golden-differs-follow': {
    policy: 'follow',
    accuracy: 0.9,
    goldenError: 0.2,
    outcome: { status: 'verified', replay: false, answers: false, lines: ['refused policy'] },
  },
  damaged: {
    policy: 'follow',
    accuracy: 0.9,
    isDamaged: true,
    outcome: { refusal: /The package differs from its manifest: configs.model\.json/ },
  },
}

async function house(t: TestContext, env: Record<string, string> = {}): Promise<House> {
  const plain = await homeFolders(t)
  const folders = { ...plain, env: { ...plain.env, ...env } }
  let home: Application | undefined
  const close = async () => {
    await home?.close()
    home = undefined
  }
  folders.closing.push(close)
  const open = async () => {
    home ??= await openApplication(readConfig(folders.env), {
      isServer: false,
      log: createLog('silent'),
    })
    await home.waitUntilRecovered()
    return home
  }
  return { folders, open, close }
}

async function packageOf({ folders }: House, condition: string, one: Case): Promise<Package> {
  const seed = 1 + Object.keys(CASES).indexOf(condition)
  const { accuracy, goldenError } = one
  const more = {
    ...(accuracy !== undefined && { accuracy }),
    ...(goldenError !== undefined && { goldenError }),
  }
  const made = await madePackage(folders, { condition, seed, ...more })
  if (one.isDamaged) await appendFile(join(made.dir, 'configs/model.json'), ' ')
  return { ...made, condition }
}

async function withCondition(home: Application, id: string, policy: Case['policy']): Promise<void> {
  const condition = {
    id,
    name: id,
    bodyPart: 'chest',
    kind: 'binary',
    classes: BINARY,
    policy,
  } as const
  await createCondition(home.db, { condition, actor: ANNA, clock: home.clock })
}

for (const [name, door] of Object.entries(DOORS)) {
  test(`${name}: verified, registered, replayed, then the policy, with the same outcome as at every door`, {
    timeout: 240_000,
  }, async (t) => {
    const place = await house(t)
    for (const [condition, one] of Object.entries(CASES)) {
      await withCondition(await place.open(), condition, one.policy)
      const made = await packageOf(place, condition, one)
      let said = await door(place, made)
      if (one.isTwice) said ??= await door(place, made)
      const home = await place.open()
      const version = await findVersionByDigest(home.db, made.sha256)
      const { refusal, ...outcome } = one.outcome
      if (refusal) {
        assert.match(said ?? '', refusal, condition)
        assert.equal(version, undefined, condition)
        continue
      }
      assert.equal(said, undefined, condition)
      assert.ok(version, condition)
      const changes = await listChanges(home.db, version.id)
      const { items } = await listHistory(home.db, { condition })
      const { active, versions } = await getCondition(home.db, condition)
      assert.deepEqual(
        {
          status: version.status,
          replay: findReplay(changes)?.ok,
          answers: active?.version === version.id,
          lines: items.map((line) => `${line.outcome} ${line.via}`),
        },
        outcome,
        condition,
      )
      // A second time nothing is registered, replayed or asked.
      assert.equal(versions, 1, condition)
      assert.equal(changes.filter(({ field }) => field === 'goldenReplay').length, 1, condition)
    }
  })
}

test('where signatures are asked for, every door refuses an unsigned package from elsewhere; what is made here is none', {
  timeout: 120_000,
}, async (t) => {
  const place = await house(t, { ROENTGEN_REQUIRE_SIGNATURE: '1' })
  await withCondition(await place.open(), 'good-follow', 'follow')
  const made = await packageOf(place, 'good-follow', CASES['good-follow'] as Case)
  for (const [name, door] of Object.entries(DOORS)) {
    const said = await door(place, made)
    const home = await place.open()
    const version = await findVersionByDigest(home.db, made.sha256)
    if (name === 'training') {
      assert.deepEqual([said, version?.status], [undefined, 'verified'])
      assert.equal((await getCondition(home.db, 'good-follow')).active?.version, version?.id)
    } else {
      assert.match(said ?? '', /trusted/, name)
      assert.equal(version, undefined, name)
    }
  }
})
