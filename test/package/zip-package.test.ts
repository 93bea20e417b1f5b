// The .roentgen.zip: a package goes through it unchanged, and hostile zips are refused in one sentence, leaving nothing.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import test, { type TestContext } from 'node:test'
import { exists } from '../../src/package/durable-files.ts'
import {
  DEFAULT_ZIP_LIMITS,
  unzipPackage,
  type ZipLimits,
} from '../../src/package/unzip-package.ts'
import { verifyPackage } from '../../src/package/verify-package.ts'
import { zipPackage } from '../../src/package/zip-package.ts'
import { makeTempDir, writePackage } from '../support/package.ts'
import { type RawEntry, rawZip } from '../support/raw-zip.ts'

async function tempDir(t: TestContext): Promise<string> {
  const dir = await makeTempDir()
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('a package comes out of its zip byte for byte, with the comment', async (t) => {
  const dir = await tempDir(t)
  const { manifest, sha256 } = await writePackage(join(dir, 'package'))
  const zipPath = join(dir, 'a.roentgen.zip')
  const comment = 'roentgen pneumonia/tiny-quick@3'
  const zip = zipPackage(join(dir, 'package'), { manifest, folder: 'tiny-v3', comment })
  await pipeline(zip, createWriteStream(zipPath))
  const unzipped = await unzipPackage(zipPath, { toDir: join(dir, 'out') })
  assert.equal(unzipped.comment, comment)
  await verifyPackage(join(dir, 'out'), { expectedSha256: sha256 })
  assert.deepEqual((await readdir(dir)).sort(), ['a.roentgen.zip', 'out', 'package'])
})

test('files at the root of the zip are a package too, also when a Mac packed them', async (t) => {
  const dir = await tempDir(t)
  const { sha256 } = await writePackage(join(dir, 'package'))
  const names = (await readdir(join(dir, 'package'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, 'package').length + 1))
  const entries: RawEntry[] = [
    { name: 'configs/', mode: 0o040755 },
    { name: '__MACOSX/._manifest.json', data: 'x' },
    { name: 'configs/.DS_Store', data: 'x' },
  ]
  for (const name of names) {
    entries.push({ name, data: await readFile(join(dir, 'package', name)), deflate: true })
  }
  await writeFile(join(dir, 'a.zip'), rawZip(entries))
  await unzipPackage(join(dir, 'a.zip'), { toDir: join(dir, 'out') })
  await verifyPackage(join(dir, 'out'), { expectedSha256: sha256 })
})

const FEW: ZipLimits = { maxEntries: 5, maxTotalBytes: 4 * 1024 * 1024, maxRatio: 100 }
const zeros = (mib: number): Buffer => Buffer.alloc(mib * 1024 * 1024)
const ok: RawEntry = { name: 'manifest.json', data: '{}' }

const HOSTILE: [string, RawEntry[], RegExp][] = [
  ['a path that climbs out', [ok, { name: '../evil.txt', data: 'x' }], /outside/],
  ['a path that climbs out later', [ok, { name: 'a/../../evil.txt', data: 'x' }], /outside/],
  ['a folder that climbs out', [ok, { name: '../evil/', mode: 0o040755 }], /outside/],
  ['an absolute path', [ok, { name: '/evil.txt', data: 'x' }], /absolute/],
  ['a drive letter', [ok, { name: 'C:/evil.txt', data: 'x' }], /drive letter/],
  ['a backslash', [ok, { name: '..\\evil.txt', data: 'x' }], /backslash/],
  ['a symbolic link', [ok, { name: 'link', data: '/etc/passwd', mode: 0o120777 }], /symbolic link/],
  ['a device', [ok, { name: 'dev', mode: 0o020666 }], /device/],
  ['one name twice', [ok, ok], /twice/],
  ['names that differ by case', [ok, { name: 'Manifest.JSON', data: '{}' }], /upper and lower/],
  [
    'a file that is also a folder',
    [ok, { name: 'a', data: 'x' }, { name: 'a/b', data: 'x' }],
    /both/,
  ],
  [
    'an encrypted file',
    [ok, { name: 'secret', data: 'x'.repeat(20), flags: 1 }],
    /encrypted|damaged/,
  ],
  ['too many entries', [1, 2, 3, 4, 5, 6].map((n) => ({ name: `f${n}`, data: 'x' })), /entries/],
  ['too much in all', [ok, { name: 'a', data: zeros(3) }, { name: 'b', data: zeros(3) }], /4 MiB/],
  ['a file that swells', [ok, { name: 'a', data: zeros(3), deflate: true }], /plausible/],
  [
    'entries that share their bytes',
    [
      { name: 'a', data: 'y'.repeat(5000) },
      { name: 'b', data: 'y'.repeat(5000), sameBytesAs: 0 },
    ],
    /overlap/,
  ],
  [
    'a size that is a lie',
    [{ name: 'a', data: zeros(1), deflate: true, claimedSize: 9 }],
    /damaged/,
  ],
  ['no manifest', [{ name: 'readme.txt', data: 'x' }], /no manifest.json/],
  ['a manifest two folders deep', [{ name: 'a/b/manifest.json', data: '{}' }], /no manifest.json/],
  [
    'two packages',
    [
      { name: 'a/manifest.json', data: '{}' },
      { name: 'b/manifest.json', data: '{}' },
    ],
    /no manifest.json/,
  ],
]

for (const [what, entries, message] of HOSTILE) {
  test(`a zip with ${what} is refused and leaves nothing`, async (t) => {
    const dir = await tempDir(t)
    await writeFile(join(dir, 'a.zip'), rawZip(entries))
    const unzip = unzipPackage(join(dir, 'a.zip'), { toDir: join(dir, 'out'), limits: FEW })
    await assert.rejects(unzip, { code: 'invalid-package', message })
    assert.deepEqual(await readdir(dir), ['a.zip'])
    assert.equal(await exists(join(dir, '..', 'evil.txt')), false)
  })
}

test('a file that is no zip, an empty one and one that is cut off are refused', async (t) => {
  const dir = await tempDir(t)
  const whole = rawZip([ok])
  for (const bytes of [
    Buffer.from('hello'),
    Buffer.alloc(0),
    whole.subarray(0, whole.length - 8),
  ]) {
    await writeFile(join(dir, 'a.zip'), bytes)
    const unzip = unzipPackage(join(dir, 'a.zip'), { toDir: join(dir, 'out') })
    await assert.rejects(unzip, { code: 'invalid-package', message: /not a zip file/ })
  }
  assert.deepEqual(await readdir(dir), ['a.zip'])
})

test('a zip made by the zip command is read', async (t) => {
  const dir = await tempDir(t)
  const { sha256 } = await writePackage(join(dir, 'package'))
  try {
    execFileSync('zip', ['-qr', join(dir, 'a.zip'), 'package'], { cwd: dir })
  } catch {
    // A zip of another program is the point here; our own writer is tested above.
    return t.skip('there is no zip command on this machine')
  }
  const options = { toDir: join(dir, 'out'), limits: DEFAULT_ZIP_LIMITS }
  await unzipPackage(join(dir, 'a.zip'), options)
  await verifyPackage(join(dir, 'out'), { expectedSha256: sha256 })
})
