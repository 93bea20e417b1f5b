// A package whose graph names another file is neither registered nor loaded, however it came into the store.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { registerPackage } from '../../../src/registry/versions/register-package.ts'
import { EXTERNAL_MODELS } from '../../support/external-model.ts'
import { send } from '../../support/foreign-model.ts'
import { homeFolders, openedHome } from '../../support/home.ts'
import { startBench } from '../runtime-bench.ts'
import { SIDE, tinyPackage } from '../tiny-package.ts'

const CANARY = 'CANARY-77ab31'

/** By whole path and from the working folder of this process. */
function hostile(location: string, count = CANARY.length): [string, Uint8Array][] {
  return Object.entries(EXTERNAL_MODELS).map(([where, make]) => [
    where,
    make({ location, count, side: SIDE }),
  ])
}

test('a host loads no graph that names another file, and nothing of that file is told', async (t) => {
  const { dir, runtime } = await startBench(t, { loadWaitMs: 30_000 })
  await writeFile(join(dir, 'secret.txt'), CANARY)
  const place = join('..', '..', '..', '..', '..', '..', dir, 'secret.txt')
  for (const [index, [where, graphBytes]] of hostile(place).entries()) {
    const source = await tinyPackage(dir, { seed: 100 + index, plain: true, graphBytes })
    await assert.rejects(runtime.prepare(source), (error: { code?: string; message: string }) => {
      assert.equal(error.code, 'load-failed', where)
      assert.match(error.message, /from another file, which is refused/, where)
      assert.doesNotMatch(JSON.stringify(error), new RegExp(CANARY))
      return true
    })
  }
})

test('an import of such a model is refused with the reason, and lists nothing', async (t) => {
  const folders = await homeFolders(t)
  const opened = await openedHome(folders)
  await writeFile(join(folders.root, 'secret.txt'), CANARY)
  for (const [where, bytes] of hostile('secret.txt', 2)) {
    const fields = { condition: 'x', name: 'y', classes: 'a,*b', preprocessing: 'unit' }
    const response = await send(opened, {
      file: new Blob([Uint8Array.from(bytes)]),
      name: 'm.onnx',
      fields,
    })
    const text = await response.text()
    assert.equal(response.status, 422, `${where}: ${text}`)
    assert.match(text, /another file/, where)
    assert.doesNotMatch(text, /CANARY/)
  }
  const { items } = (await (await opened.call('/api/v1/versions')).json()) as { items: unknown[] }
  assert.deepEqual(items, [])
})

test('a package with such a graph is not registered', async (t) => {
  const folders = await homeFolders(t)
  const { home: application } = await openedHome(folders)
  for (const [index, [where, graphBytes]] of hostile('secret.txt').entries()) {
    const { dir } = await tinyPackage(folders.root, { seed: 200 + index, plain: true, graphBytes })
    const registering = registerPackage(application, {
      fromDir: dir,
      move: false,
      actor: { by: 'test', via: 'api' },
      clock: application.clock,
    })
    await assert.rejects(registering, { code: 'invalid-package' }, where)
  }
})
