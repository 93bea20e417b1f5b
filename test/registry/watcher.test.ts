// The watcher: edits of active.json, the inbox and damage are noticed while the server runs.
import assert from 'node:assert/strict'
import { createWriteStream } from 'node:fs'
import { cp, mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import test, { type TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { exists } from '../../src/package/durable-files.ts'
import { activateVersion } from '../../src/registry/activation/activate.ts'
import { listHistory } from '../../src/registry/activation/activations.ts'
import { patchCondition } from '../../src/registry/conditions/condition-settings.ts'
import { getCondition } from '../../src/registry/conditions/conditions.ts'
import { packageDir, pointerPath } from '../../src/registry/home/store.ts'
import { Watcher } from '../../src/registry/inbox/watcher.ts'
import { exportPackage } from '../../src/registry/versions/exchange-package.ts'
import { listVersions } from '../../src/registry/versions/version-list.ts'
import { getVersion, type Version } from '../../src/registry/versions/versions.ts'
import { writePackage } from '../support/package.ts'
import { ANNA, openApplication, type TestHome } from '../support/registry.ts'

const ID = 'pneumonia'

/** Waits until a question about the outside is answered with yes; the test's own limit is the end of patience. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await after(20)) {
    if (await holds()) return
  }
  assert.fail(`never came true: ${holds}`)
}

async function watchedHome(t: TestContext) {
  const home = await openApplication(t)
  const [a, b] = [await home.register({ seed: 1 }), await home.register({ seed: 2 })]
  await activateVersion(home.ctx, { condition: ID, version: a, reason: '', ...ANNA })
  const watcher = new Watcher(home.ctx, { steadyMs: 200, quietMs: 600, rescanMs: 1000 })
  t.after(() => watcher.stop())
  await watcher.start()
  return { home, watcher, a, b }
}

async function active({ ctx }: TestHome): Promise<string | undefined> {
  return (await getCondition(ctx.db, ID)).active?.version
}

async function lines({ ctx }: TestHome) {
  return (await listHistory(ctx.db, { condition: ID })).items
}

async function pointed({ ctx }: TestHome): Promise<string | undefined> {
  const text = await readFile(pointerPath(ctx.store, ID), 'utf8').catch(() => '{}')
  return (JSON.parse(text) as { version?: string }).version
}

test('an edit of active.json activates through the gate, by file', async (t) => {
  const { home, b } = await watchedHome(t)
  await writeFile(pointerPath(home.ctx.store, ID), JSON.stringify({ version: b.id }))
  await until(async () => (await active(home)) === b.id)
  await until(
    async () => 'activation' in JSON.parse(await readFile(pointerPath(home.ctx.store, ID), 'utf8')),
  )
  const [line] = await lines(home)
  assert.deepEqual([line?.via, line?.outcome], ['file', 'activated'])
  // Requests switch last, after the pointer (docs/decisions/0006-order-of-truth.md).
  await until(async () => home.gate.answering.get(ID) === b.id)
})

test('refused edits are rewritten to the truth, with one refused line each', async (t) => {
  const { home, a, b } = await watchedHome(t)
  await writeFile(join(packageDir(home.ctx.store, b), 'README.md'), 'changed')
  const edits = [`{"version":"${b.id}"}`, '{"version":"pneumonia/none@9"}', '{"version":']
  for (const [index, text] of edits.entries()) {
    await writeFile(pointerPath(home.ctx.store, ID), text)
    await until(async () => (await lines(home)).length === index + 2)
    await until(async () => (await pointed(home).catch(() => undefined)) === a.id)
    assert.equal((await lines(home))[0]?.outcome, 'refused')
  }
  assert.equal(await active(home), a.id)
})

test('damage to a package is noticed, and so is its end', async (t) => {
  const { home, a } = await watchedHome(t)
  const graph = join(packageDir(home.ctx.store, a), 'models/tiny.onnx')
  const bytes = await readFile(graph)
  await writeFile(graph, 'graph 9')
  await until(async () => (await getCondition(home.ctx.db, ID)).active?.state === 'damaged')
  await writeFile(graph, bytes)
  await until(async () => (await getCondition(home.ctx.db, ID)).active?.state === 'ok')
})

test('a package copied slowly into the inbox is registered once it is whole, and stays inactive', async (t) => {
  const { home, a } = await watchedHome(t)
  const from = join(home.home, 'outside')
  const { sha256, manifest } = await writePackage(from, { seed: 3 })
  const to = join(home.ctx.store.inboxDir, 'mine')
  await mkdir(to)
  // The manifest comes first, as it may with a file manager, and every file in two halves.
  for (const path of ['manifest.json', ...manifest.files.map((file) => file.path)]) {
    await mkdir(join(to, path, '..'), { recursive: true })
    const bytes = await readFile(join(from, path))
    const file = await open(join(to, path), 'w')
    await file.write(bytes.subarray(0, bytes.length >> 1))
    await after(60)
    await file.write(bytes.subarray(bytes.length >> 1))
    await file.close()
  }
  await until(async () => (await listVersions(home.ctx.db, {})).total === 3)
  const version = await getVersion(home.ctx.db, { condition: ID, name: 'tiny-quick', n: 3 })
  assert.equal(version.sha256, sha256)
  assert.equal(await active(home), a.id)
  await until(async () => !(await exists(to)))
})

test('a zip in the inbox becomes active by itself under policy follow, if it passes the gate', async (t) => {
  const { home } = await watchedHome(t)
  const { ctx } = home
  await patchCondition(ctx.db, {
    id: ID,
    patch: { policy: 'follow' },
    actor: ANNA,
    clock: ctx.clock,
  })
  for (const [seed, accuracy] of [
    [5, 0.95],
    [6, 0.5],
  ] as const) {
    const other = await openApplication(t)
    const zip = await zipOf(other, await other.register({ seed, accuracy }))
    await rename(zip, join(ctx.store.inboxDir, `${seed}.roentgen.zip`))
  }
  await until(async () => (await lines(home)).length === 3)
  const [refused, activated] = await lines(home)
  assert.deepEqual([activated?.via, activated?.outcome], ['policy', 'activated'])
  assert.deepEqual([refused?.via, refused?.outcome], ['policy', 'refused'])
  assert.equal(activated?.version, await active(home))
  await until(async () => (await readdir(ctx.store.inboxDir)).length === 0)
})

test('what is wrong in the inbox gets a note beside it and is not tried again until it changes', async (t) => {
  const { home, watcher } = await watchedHome(t)
  const { inboxDir } = home.ctx.store
  await writeFile(join(inboxDir, 'broken.zip'), 'no zip')
  await writeFile(join(inboxDir, 'net.onnx'), 'onnx')
  const from = join(home.home, 'outside')
  await writePackage(from, { seed: 3 })
  await writeFile(join(from, 'README.md'), 'changed')
  await cp(from, join(inboxDir, 'damaged'), { recursive: true })
  await until(
    async () => (await readdir(inboxDir)).filter((name) => name.endsWith('.txt')).length === 2,
  )
  assert.match(await readFile(join(inboxDir, 'broken.zip.problem.txt'), 'utf8'), /zip file/)
  assert.match(await readFile(join(inboxDir, 'damaged.problem.txt'), 'utf8'), /README.md/)
  await until(async () => watcher.inbox.filter((item) => item.state === 'refused').length === 2)
  const needy = watcher.inbox.find((item) => item.name === 'net.onnx')
  assert.equal(needy?.state, 'needs-details')
  await writeFile(join(inboxDir, 'damaged', 'README.md'), '# tiny-quick\n')
  await until(async () => (await listVersions(home.ctx.db, {})).total === 3)
  await until(async () => !(await exists(join(inboxDir, 'damaged.problem.txt'))))
})

test('a foreign model is converted once its details are beside it', async (t) => {
  const home = await openApplication(t)
  const { inboxDir } = home.ctx.store
  const convert = async (file: string, details: unknown): Promise<string> => {
    const to = join(home.home, 'converted')
    const fields = details as { name: string }
    await writePackage(to, { fields, files: { 'models/tiny.onnx': await readFile(file) } })
    return to
  }
  const watcher = new Watcher(home.ctx, { steadyMs: 100, quietMs: 300, rescanMs: 1000, convert })
  t.after(() => watcher.stop())
  await watcher.start()
  await writeFile(join(inboxDir, 'net.onnx'), 'onnx')
  await until(async () => watcher.inbox[0]?.state === 'needs-details')
  await writeFile(join(inboxDir, 'net.onnx.json'), '{"name":"NOT A NAME"}')
  await until(async () => watcher.inbox[0]?.state === 'refused')
  await writeFile(join(inboxDir, 'net.onnx.json'), '{"name":"net"}')
  await until(async () => (await listVersions(home.ctx.db, { q: 'net@1' })).total === 1)
  await until(async () => (await readdir(inboxDir)).length === 0)
})

test('stopping twice is safe and nothing is done afterwards', async (t) => {
  const { home, watcher, a, b } = await watchedHome(t)
  await Promise.all([watcher.stop(), watcher.stop()])
  await writeFile(pointerPath(home.ctx.store, ID), JSON.stringify({ version: b.id }))
  await after(300)
  assert.equal(await active(home), a.id)
})

async function zipOf({ ctx, home }: TestHome, version: Version): Promise<string> {
  const { stream, fileName } = await exportPackage(ctx, version)
  await pipeline(stream, createWriteStream(join(home, fileName)))
  return join(home, fileName)
}
