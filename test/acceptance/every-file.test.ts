// Every shared file through the API, one after the other: read, or refused with a sentence; memory stays bounded and the next
// request is answered. With ROENTGEN_SLOW_TESTS=1 the table of outcomes is printed.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../support/home.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

/** Of one imaging worker; a file that wants more ends it at 1 GiB. */
const MAX_BYTES = 1024 * 2 ** 20

for (const name of ['data/dicom', 'data/nasty-images']) {
  test(`each file of ${name} is read or refused, and the next request is answered`, {
    skip: skipWithout(name),
  }, async (t) => {
    const folders = await homeFolders(t)
    const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
    const { home, call } = await openedHome(folders)
    await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
    const predict = (bytes: Uint8Array) => {
      const body = imageForm({ image: bytes, condition: 'pneumonia', explain: 'none' })
      return call('/api/v1/predict', { method: 'POST', body })
    }
    const plain = await image(3)
    const folder = sharedPath(name) ?? ''
    const files = readdirSync(folder).filter((file) => /\.(?!md$|csv$)\w+$/.test(file))
    let largest = 0
    for (const file of files) {
      const started = performance.now()
      const response = await predict(await readFile(join(folder, file)))
      const ms = performance.now() - started
      largest = Math.max(largest, ...home.imaging.status().workers.map(({ pid }) => resident(pid)))
      const said = await jsonOf<{ detail?: string; code?: string; image?: { width: number } }>(
        response,
      )
      assert.ok([200, 413, 415, 422].includes(response.status), `${file}: ${response.status}`)
      if (response.status !== 200) assert.match(said.detail ?? '', /^[A-Z][^\n]{10,300}\.$/, file)
      assert.equal((await predict(plain)).status, 200, `the request after ${file}`)
      if (process.env.ROENTGEN_SLOW_TESTS === '1') {
        t.diagnostic(`${file} | ${response.status} | ${said.code ?? 'read'} | ${ms.toFixed(0)} ms`)
      }
    }
    assert.ok(largest < MAX_BYTES, `${largest} bytes`)
    t.diagnostic(
      `${files.length} files; largest imaging worker ${(largest / 2 ** 20).toFixed(0)} MiB`,
    )
  })
}

/** From /proc; 0 where there is none. */
function resident(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
