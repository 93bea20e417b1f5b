// Manifests and verification: what makes a folder a package, and how one changed byte is found.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { readManifest } from '../../src/package/manifest.ts'
import { checkPaths, pathProblem } from '../../src/package/package-paths.ts'
import { GoldenSchema } from '../../src/package/schema.ts'
import { readServingConfig } from '../../src/package/serving-config.ts'
import { servingFiles, verifyPackage } from '../../src/package/verify-package.ts'
import { makeTempDir, writePackage } from '../support/package.ts'

async function packageDir(t: TestContext): Promise<string> {
  const dir = await makeTempDir()
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('the digest of a package is the SHA-256 of the bytes of manifest.json', async (t) => {
  const dir = await packageDir(t)
  const { sha256 } = await writePackage(dir)
  const bytes = await readFile(join(dir, 'manifest.json'))
  assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'))
  assert.equal((await readManifest(dir)).sha256, sha256)
})

test('the manifest names every other file with size, SHA-256 and MD5, and not itself', async (t) => {
  const dir = await packageDir(t)
  const { manifest } = await writePackage(dir)
  const paths = manifest.files.map((file) => file.path)
  assert.ok(!paths.includes('manifest.json'))
  assert.equal(paths.length, 5)
  const readme = manifest.files.find((file) => file.path === 'README.md')
  const bytes = await readFile(join(dir, 'README.md'))
  assert.deepEqual(readme, {
    path: 'README.md',
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    md5: createHash('md5').update(bytes).digest('hex'),
  })
})

test('an untouched package verifies, whole and by the files that serving needs', async (t) => {
  const dir = await packageDir(t)
  const { sha256, manifest } = await writePackage(dir)
  const { sizeBytes } = await verifyPackage(dir, { expectedSha256: sha256 })
  assert.equal(
    sizeBytes,
    manifest.files.reduce((sum, file) => sum + file.size, 0),
  )
  await verifyPackage(dir, { only: 'serving' })
  assert.deepEqual(
    servingFiles(manifest)
      .map((file) => file.path)
      .sort(),
    [
      'configs/model.json',
      'configs/preprocessing.json',
      'models/tiny.onnx',
      'results/golden/golden.json',
    ],
  )
})

test('one changed byte in any file is a hash mismatch that names the file', async (t) => {
  const dir = await packageDir(t)
  const { manifest, sha256 } = await writePackage(dir)
  for (const path of [...manifest.files.map((file) => file.path), 'manifest.json']) {
    const bytes = await readFile(join(dir, path))
    const middle = bytes.length >> 1
    const changed = Buffer.from(bytes)
    changed[middle] = (changed[middle] ?? 0) ^ 1
    await writeFile(join(dir, path), changed)
    await assert.rejects(verifyPackage(dir, { expectedSha256: sha256 }), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'hash-mismatch')
      return error.message.includes(path)
    })
    await writeFile(join(dir, path), bytes)
  }
  await verifyPackage(dir, { expectedSha256: sha256 })
})

test('a missing file, an added file and a link are refused', async (t) => {
  const dir = await packageDir(t)
  await writePackage(dir)
  await writeFile(join(dir, 'results', 'extra.txt'), 'x')
  await assert.rejects(verifyPackage(dir), { code: 'hash-mismatch' })
  await rm(join(dir, 'results', 'extra.txt'))
  const readme = join(dir, 'README.md')
  const text = await readFile(readme)
  await rm(readme)
  await assert.rejects(verifyPackage(dir), {
    code: 'hash-mismatch',
    message: /README.md is missing/,
  })
  await writeFile(join(dir, '..', 'outside-readme.md'), text)
  t.after(() => rm(join(dir, '..', 'outside-readme.md'), { force: true }))
  await symlink(join(dir, '..', 'outside-readme.md'), readme)
  await assert.rejects(verifyPackage(dir), { code: 'invalid-package', message: /link/ })
})

test('serving files reached through a linked folder are refused', async (t) => {
  const dir = await packageDir(t)
  await writePackage(join(dir, 'real'))
  await mkdir(join(dir, 'fake'))
  for (const name of ['configs', 'models', 'results']) {
    await symlink(join(dir, 'real', name), join(dir, 'fake', name))
  }
  await writeFile(
    join(dir, 'fake', 'manifest.json'),
    await readFile(join(dir, 'real/manifest.json')),
  )
  await assert.rejects(verifyPackage(join(dir, 'fake'), { only: 'serving' }), {
    code: 'hash-mismatch',
  })
})

for (const path of [
  '../up.txt',
  'a/../../up.txt',
  '/etc/passwd',
  'C:/windows.txt',
  'c:up.txt',
  'a\\b.txt',
  'a//b.txt',
  './a.txt',
  'a/./b.txt',
  '',
  'a\u0000b',
  'nul',
  'configs/COM1.json',
  'name.',
  'folder /a',
  'a:stream',
]) {
  test(`"${JSON.stringify(path).slice(1, -1)}" cannot be a file of a package`, () => {
    assert.ok(pathProblem(path))
  })
}

test('plain nested names, also in other scripts, can be files of a package', () => {
  for (const path of ['README.md', 'models/tfjs/group1-shard1of2.bin', 'results/Übersicht.txt']) {
    assert.equal(pathProblem(path), undefined)
  }
})

test('names that are twice or differ only by case or composition are refused', () => {
  assert.throws(() => checkPaths(['a.txt', 'a.txt']), { message: /twice/ })
  assert.throws(() => checkPaths(['README.md', 'readme.MD']), { message: /upper and lower case/ })
  assert.throws(() => checkPaths(['\u00e9.txt', 'e\u0301.txt']), { code: 'invalid-package' })
})

test('a manifest that names a file outside is refused before anything is read', async (t) => {
  const dir = await packageDir(t)
  const { manifest } = await writePackage(dir)
  const [first] = manifest.files
  const files = [{ ...first, path: '../../outside' }]
  await writeFile(join(dir, 'manifest.json'), JSON.stringify({ ...manifest, files }))
  await assert.rejects(verifyPackage(dir), { code: 'invalid-package', message: /outside/ })
})

test('a manifest that is no JSON, lacks a field or contradicts itself is refused in one sentence', async (t) => {
  const dir = await packageDir(t)
  const { manifest } = await writePackage(dir)
  const wrong: [string, RegExp][] = [
    ['{"schema":1', /not readable JSON/],
    ['{}', /wrong at "schema"/],
    [JSON.stringify({ ...manifest, name: 'inbox' }), /wrong at "name"/],
    [JSON.stringify({ ...manifest, classes: [{ label: 'A', positive: true }] }), /exactly two/],
    [JSON.stringify({ ...manifest, defaultOperatingPoint: 'none' }), /operating point/],
  ]
  for (const [text, message] of wrong) {
    await writeFile(join(dir, 'manifest.json'), text)
    await assert.rejects(readManifest(dir), { code: 'invalid-package', message })
  }
  await rm(join(dir, 'manifest.json'))
  await assert.rejects(readManifest(dir), { code: 'invalid-package', message: /no manifest/ })
})

test('the serving configuration is read and checked', async (t) => {
  const dir = await packageDir(t)
  await writePackage(dir)
  const { model, preprocessing, golden } = await readServingConfig(dir)
  assert.equal(model.graph.file, 'models/tiny.onnx')
  assert.equal(preprocessing.width, 32)
  assert.deepEqual(golden?.items, [])
  await writeFile(join(dir, 'configs/preprocessing.json'), '{"schema":1}')
  await assert.rejects(readServingConfig(dir), {
    message: /preprocessing.json is wrong at "width"/,
  })
})

test('golden images that would let any output pass are refused', () => {
  const golden = (tolerance: number) => ({ schema: 1, tolerance, items: [] })
  for (const good of [1e-6, 0.02, 0.05]) assert.ok(GoldenSchema.safeParse(golden(good)).success)
  for (const bad of [0.051, 1, 1e9, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(GoldenSchema.safeParse(golden(bad)).success, false, String(bad))
  }
})
