// backup and restore as a person types them: through a running server, and from a home that nobody serves.
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { Page } from '../../src/registry/cursor.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { homeFolders, servedHome, storePackage, untilReady } from '../support/home.ts'
import { assertRefused, roentgen, roentgenJson } from './run-cli.ts'

test('a home is saved while a server works on it, and comes back in another place', async (t) => {
  const folders = await homeFolders(t)
  const { env, root } = folders
  const { id, sha256 } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const server = await servedHome(folders)
  await untilReady(server.url)
  const activated = await roentgen(['activate', id, '--reason', 'first'], { env })
  assert.equal(activated.status, 0, activated.stderr)

  const file = join(root, 'monday.zip')
  const saved = await roentgenJson<{ bytes: number }>(['backup', file], { env })
  assert.equal((await stat(file)).size, saved.bytes)
  assertRefused(await roentgen(['backup', file], { env }), /already exists/)
  assertRefused(await roentgen(['restore', file], { env }), /Another Roentgen is running/)
  await server.stop()
  assertRefused(await roentgen(['restore', file], { env }), /already has a registry/)

  const elsewhere = {
    ...env,
    ROENTGEN_MODELS: join(root, 'new', 'models'),
    ROENTGEN_DATA: join(root, 'new', 'data'),
  }
  const restored = await roentgen(['restore', file], { env: elsewhere })
  assert.equal(restored.status, 0, restored.stderr)
  assert.match(restored.stdout, /Restored 1 versions/)
  const { items } = await roentgenJson<Page<Version>>(['versions', 'list'], { env: elsewhere })
  assert.deepEqual(
    items.map((one) => [one.id, one.sha256, one.active]),
    [[id, sha256, true]],
  )
  const verified = await roentgen(['verify'], { env: elsewhere })
  assert.equal(verified.status, 0, verified.stderr)

  // Nobody serves it now: the command opens the home itself.
  const again = await roentgen(['backup', join(root, 'tuesday.zip')], { env: elsewhere })
  assert.equal(again.status, 0, again.stderr)
  assertRefused(await roentgen(['restore', join(root, 'no.zip')], { env }), /does not exist/)
})
