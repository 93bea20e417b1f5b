// The limits of a batch, each held at its edge: files of a zip and of a folder, and what a zip unpacks to.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { MAX_ITEMS } from '../../../src/app/batches/batch-item.ts'
import { openFolder } from '../../../src/app/batches/folder-images.ts'
import { openZip } from '../../../src/app/batches/zip-images.ts'
import { type RawEntry, rawZip } from '../../support/raw-zip.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-batch-'))
after(() => rm(root, { recursive: true, force: true }))
const limits = { maxBytes: 1024 }

async function zipOf(entries: readonly RawEntry[]): Promise<string> {
  const path = join(root, 'images.zip')
  await writeFile(path, rawZip(entries))
  return path
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `${i}.png` }))

test('a zip holds at most ten thousand files', async () => {
  const most = await openZip(await zipOf(numbered(MAX_ITEMS)), limits)
  assert.equal(most.items.length, MAX_ITEMS)
  await most.close()
  await most.close()
  for (const count of [MAX_ITEMS + 1, 2 * MAX_ITEMS + 1]) {
    const path = await zipOf(numbered(count))
    await assert.rejects(openZip(path, limits), { code: 'invalid', message: /at most 10000/ })
  }
})

test('a zip that claims to unpack to more than 16 GiB is refused before anything is unpacked', async () => {
  const claimedSize = 2 ** 32 - 2
  const entries = numbered(5).map((one) => ({ ...one, data: 'x', deflate: true, claimedSize }))
  await assert.rejects(openZip(await zipOf(entries), limits), {
    code: 'invalid',
    message: /16 GiB/,
  })
  const less = await openZip(await zipOf(entries.slice(0, 4)), limits)
  await assert.rejects(less.items[0]?.read() ?? Promise.resolve(), { code: 'upload-too-large' })
  await less.close()
})

test('a folder holds at most ten thousand files, and one that is too large costs only itself', async () => {
  const folder = await mkdtemp(join(root, 'folder-'))
  await writeFile(join(folder, 'large.png'), Buffer.alloc(1025))
  await writeFile(join(folder, 'small.png'), Buffer.alloc(1024))
  const { items } = await openFolder(folder, limits)
  assert.deepEqual(
    items.map(({ name }) => name),
    ['large.png', 'small.png'],
  )
  await assert.rejects(items[0]?.read() ?? Promise.resolve(), { code: 'upload-too-large' })
  assert.equal((await items[1]?.read())?.length, 1024)
  await rm(join(folder, 'small.png'))
  await assert.rejects(items[1]?.read() ?? Promise.resolve(), { code: 'undecodable-image' })
  await Promise.all(numbered(MAX_ITEMS).map(({ name }) => writeFile(join(folder, name), '')))
  await assert.rejects(openFolder(folder, limits), { code: 'invalid', message: /at most 10000/ })
})
