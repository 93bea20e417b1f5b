// Many images at once: zips and folders over the API, the page whose rows arrive one by one, and what hostile ones cost.
import assert from 'node:assert/strict'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { crc32 } from 'node:zlib'
import { image } from '../../inference/tiny-package.ts'
import { homeFolders, imageForm, jsonBody, openedHome, storePackage } from '../../support/home.ts'
import { type RawEntry, rawZip } from '../../support/raw-zip.ts'

interface Line {
  readonly file?: string
  readonly code?: string
  readonly decision?: object
}

async function batchHome(t: TestContext, env: Record<string, string> = {}) {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { home, call } = await openedHome({ ...folders, env: { ...folders.env, ...env } })
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  const post = (path: string, fields: Record<string, string | Uint8Array>) => {
    const body = imageForm({ condition: 'pneumonia', explain: 'none' })
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === 'string') body.set(name, value)
      else body.append(name, new Blob([Uint8Array.from(value)]), `${name}.bin`)
    }
    return call(path, { method: 'POST', body })
  }
  const lines = async (fields: Record<string, string | Uint8Array>) => {
    const response = await post('/api/v1/batch', fields)
    assert.equal(response.status, 200, await response.clone().text())
    const text = (await response.text()).trim().split('\n')
    assert.equal(response.headers.get('x-roentgen-images'), String(text.length))
    return text.map((line) => JSON.parse(line) as Line)
  }
  const leftovers = () => readdir(home.store.stagingDir)
  return { ...folders, home, call, post, lines, leftovers }
}

const outcome = ({ file, code }: Line) => [file, code ?? 'read']

test('a zip is read in its own order, and a bad file in it costs only itself', async (t) => {
  const { lines, leftovers } = await batchHome(t)
  const good = await image(3)
  const zip = rawZip([
    { name: 'b/two.png', data: good },
    { name: 'broken.png', data: good.subarray(0, 60) },
    { name: 'notes.txt', data: 'not an image' },
    { name: '__MACOSX/._two.png', data: 'clutter' },
    { name: 'link.png', data: '/etc/passwd', mode: 0o120777 },
    { name: 'locked.png', data: good, flags: 1, deflate: true },
    { name: 'a/one.png', data: good, deflate: true },
  ])
  const wanted = [
    ['b/two.png', 'read'],
    ['broken.png', 'undecodable-image'],
    ['notes.txt', 'unsupported-image'],
    ['locked.png', 'undecodable-image'],
    ['a/one.png', 'read'],
  ]
  assert.deepEqual((await lines({ zip })).map(outcome), wanted)
  assert.deepEqual((await lines({ image: zip })).map(outcome), wanted, 'known by its content')
  assert.deepEqual(await leftovers(), [])
})

test('a folder below the data root is read by name, links and all else left out', async (t) => {
  const { lines, root, post } = await batchHome(t)
  const good = await image(3)
  const files = {
    'x/10.png': good,
    'x/2.png': good,
    'x/bad.dcm': Buffer.from('no'),
    'x/.hidden': good,
  }
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, 'datasets', name)), { recursive: true })
    await writeFile(join(root, 'datasets', name), bytes)
  }
  await writeFile(join(root, 'secret.png'), good)
  await symlink(join(root, 'secret.png'), join(root, 'datasets/x/link.png'))
  await symlink(root, join(root, 'datasets/out'))
  assert.deepEqual((await lines({ folder: 'x' })).map(outcome), [
    ['2.png', 'read'],
    ['10.png', 'read'],
    ['bad.dcm', 'unsupported-image'],
  ])
  await mkdir(join(root, 'datasets/empty'))
  for (const [folder, status] of [
    ['../', 422],
    ['/etc', 422],
    ['out', 422],
    ['empty', 422],
    ['nothing', 404],
  ] as const) {
    const refused = await post('/api/v1/batch', { folder })
    assert.equal(refused.status, status, folder)
    assert.doesNotMatch(await refused.text(), new RegExp(root))
  }
})

test('images, zip and folder of one form follow each other', async (t) => {
  const { lines, root } = await batchHome(t)
  const good = await image(3)
  await mkdir(join(root, 'datasets/x'), { recursive: true })
  await writeFile(join(root, 'datasets/x/c.png'), good)
  const zip = rawZip([{ name: 'b.png', data: good }])
  const all = await lines({ image: good, zip, folder: 'x' })
  assert.deepEqual(
    all.map(({ file }) => file),
    ['image.bin', 'b.png', 'c.png'],
  )
})

test('zips that are none, damaged, empty, overlapping or bombs are refused or lose one line', async (t) => {
  const { lines, post, leftovers } = await batchHome(t, { ROENTGEN_MAX_UPLOAD_MB: '1' })
  const good = await image(3)
  const refusals: [string, Buffer][] = [
    ['none', Buffer.from('this is no zip at all, only text')],
    ['cut off', rawZip([{ name: 'a.png', data: good }]).subarray(0, 80)],
    ['empty', rawZip([])],
    ['only clutter', rawZip([{ name: '.DS_Store', data: 'x' }])],
    ['overlapping', rawZip(overlapping(good))],
    ['leading out', rawZip([{ name: '../../etc/escape.png', data: good }])],
  ]
  for (const [what, zip] of refusals) {
    const response = await post('/api/v1/batch', { zip })
    assert.equal(response.status, 422, what)
    assert.match(await response.text(), /"code":"invalid"/)
  }
  const zeros = Buffer.alloc(3 * 2 ** 20)
  const bomb = rawZip([
    { name: 'bomb.png', data: zeros, deflate: true },
    { name: 'liar.png', data: zeros, deflate: true, claimedSize: 1000 },
    { name: 'good.png', data: good },
  ])
  assert.ok(bomb.length < 20_000 && crc32(zeros) !== 0)
  assert.deepEqual((await lines({ zip: bomb })).map(outcome), [
    ['bomb.png', 'upload-too-large'],
    ['liar.png', 'undecodable-image'],
    ['good.png', 'read'],
  ])
  assert.deepEqual(await leftovers(), [])
})

function overlapping(data: Uint8Array): RawEntry[] {
  const first = { name: 'a.png', data }
  return [
    first,
    ...Array.from({ length: 40 }, (_, i) => ({ ...first, name: `${i}.png`, sameBytesAs: 0 })),
  ]
}

test('the page shows the form, then rows as they are read, then gives the table; without any script', async (t) => {
  const { call, post } = await batchHome(t)
  const form = await (await call('/batch', { headers: { accept: 'text/html' } })).text()
  assert.match(form, /enctype="multipart\/form-data"/)
  assert.match(form, /name="folder"/)
  const good = await image(3)
  const zip = rawZip([
    { name: '<b>one</b>.png', data: good },
    { name: 'two.png', data: 'no image' },
  ])
  const sent = await post('/batch', { zip })
  assert.equal(sent.status, 303)
  const address = sent.headers.get('location') ?? ''
  const page = await (await call(address)).text()
  assert.match(page, /^<!doctype html>[\s\S]*1 of 2[\s\S]*2 of 2[\s\S]*<\/html>\s*$/)
  assert.match(page, /&lt;b&gt;one&lt;\/b&gt;\.png[\s\S]*href="\/predictions\/pr_/)
  assert.ok(!page.includes('<b>one'))
  const csv = await (await call(`${address}/results.csv`)).text()
  assert.deepEqual(
    csv
      .trim()
      .split('\r\n')
      .map((line) => line.split(',').slice(0, 3).join()),
    ['n,file,status', '1,<b>one</b>.png,read', '2,two.png,unsupported-image'],
  )
  assert.equal(await (await call(address)).text(), page)
  const wrong = await post('/batch', {})
  assert.equal(wrong.status, 422)
  assert.match(await wrong.text(), /Send one or more images/)
  assert.equal((await call('/batch/bt_nothing')).status, 404)
  assert.equal((await call('/batch/bt_nothing/results.csv')).status, 404)
})
