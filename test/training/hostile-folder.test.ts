// Folders and patterns that are made to keep a scan busy for ever: links to themselves, patterns that could mean 2^40 things.
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import test from 'node:test'
import { runDatasetJob } from '../../src/training/dataset/dataset-process.ts'
import { excluder } from '../../src/training/dataset/files/exclude-patterns.ts'
import { walkFolder } from '../../src/training/dataset/files/walk-folder.ts'
import { makeTempDir } from '../support/package.ts'

test('patterns mean what they are known to mean', () => {
  const files = ['a.png', 'x/a.png', 'x/y/a.png', 'x/y/b.png', 'xy/a.png', 'x/y.png', 'x/y/z/a.dcm']
  const patterns = [
    '*.png',
    'x/*',
    'x/**',
    '**/a.png',
    'x/**/a.png',
    '?/y/b.png',
    '**',
    'x/*/*.png',
    '**/y/**',
    'x*/a*',
  ]
  for (const pattern of patterns) {
    const isExcluded = excluder([pattern])
    for (const file of files) {
      assert.equal(isExcluded(file), posix.matchesGlob(file, pattern), `${pattern} on ${file}`)
    }
  }
  assert.ok(excluder(['odd {a,b}+(c) [1].png'])('odd {a,b}+(c) [1].png'), 'a name is itself')
})

test('braces, nested groups and many stars cost no more than plain patterns', () => {
  const hostile = [
    '{a,b}'.repeat(90),
    '+(+(+(+(a))))'.repeat(30),
    `${'*a'.repeat(200)}b`,
    `${'**/'.repeat(150)}b`,
    `${'**a'.repeat(150)}b`,
  ]
  const file = `${'aaaaaaaaaa/'.repeat(40)}${'a'.repeat(500)}`
  const isExcluded = excluder(hostile)
  for (let i = 0; i < 20; i++) assert.equal(isExcluded(file), false)
  assert.throws(() => excluder(Array(100).fill(`*${'a'.repeat(200)}`)), { code: 'invalid' })
})

test('links to themselves, back, out and to nowhere are counted and passed over; each folder is read once', async () => {
  const root = await makeTempDir()
  const dir = join(root, 'set')
  await mkdir(join(dir, 'a', 'deep'), { recursive: true })
  await mkdir(join(root, 'outside'))
  await writeFile(join(root, 'outside', 'secret.png'), '')
  for (const name of ['a/1.png', 'a/deep/2.png', 'b.png']) await writeFile(join(dir, name), '')
  for (const [to, at] of [
    ['.', 'self'],
    ['..', 'a/up'],
    ['/', 'system'],
    ['../outside', 'out'],
    ['../outside/secret.png', 'out.png'],
    ['nowhere', 'gone'],
    ['loop2', 'loop1'],
    ['loop1', 'loop2'],
    ['a/1.png', 'within.png'],
  ] as const) {
    await symlink(to, join(dir, at))
  }
  const { files, links } = await walkFolder(dir, { enters: () => true })
  assert.deepEqual(files, ['a/1.png', 'a/deep/2.png', 'b.png', 'within.png'])
  assert.equal(links, 8)
})

test('a folder deeper than any real one is refused', async () => {
  const root = await makeTempDir()
  await mkdir(join(root, ...Array<string>(70).fill('d')), { recursive: true })
  await assert.rejects(walkFolder(root, { enters: () => true }), { code: 'invalid' })
})

test('a job that makes no progress is ended, and says so', async () => {
  const dir = await makeTempDir()
  await assert.rejects(runDatasetJob({ kind: 'scan', dir }, { maxStallMs: 1 }), {
    code: 'unavailable',
    message: /no progress/,
  })
})
