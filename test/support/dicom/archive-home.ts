// A home that takes images from an archive, films to send it, and what to ask of it, for tests.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ArchiveStatus } from '../../../src/app/dicom/archive/archive-status.ts'
import { encodeParts } from '../../../src/app/dicom/archive/multipart-related.ts'
import type { ArchiveJob } from '../../../src/registry/archive/archive-jobs.ts'
import { type Folders, homeFolders, jsonBody, jsonOf, openedHome, storePackage } from '../home.ts'
import { dicomFile, image } from './dicom-file.ts'

export const STUDY = '1.2.3.4'

export interface Film {
  readonly uid: string
  readonly modality?: string
  readonly part?: string
}

export function film({ uid, modality = 'DX', part = 'CHEST' }: Film): Buffer {
  const size = { width: 24, height: 20 }
  const pixels = Uint8Array.from({ length: 24 * 20 }, (_, i) => (i * 31 + uid.length) % 256)
  return dicomFile({
    attributes: [
      ...image(size, { '00080060': ['CS', modality] }),
      ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.1.1'],
      ['00080018', 'UI', uid],
      ['00100010', 'PN', 'CANARY^NAME'],
      ['00100020', 'LO', 'CANARY-ID'],
      ['00180015', 'CS', part],
      ['0020000d', 'UI', STUDY],
      ['0020000e', 'UI', `${STUDY}.1`],
    ],
    pixels,
  })
}

const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
export const inArchive = (o: Film & { studyDate?: string }) => ({
  study: STUDY,
  series: `${STUDY}.1`,
  instance: o.uid,
  modality: o.modality ?? 'DX',
  studyDate: o.studyDate ?? today,
  bytes: film(o),
})

export async function archiveHome(t: TestContext, env: (f: Folders) => Record<string, string>) {
  const made = await homeFolders(t)
  const { id } = await storePackage(made, { seed: 1, accuracy: 0.9 })
  const folders = { ...made, env: { ...made.env, ROENTGEN_DICOM_POLL_SECONDS: '1', ...env(made) } }
  return { folders, version: id, open: () => openedArchive(folders) }
}

async function openedArchive(folders: Folders) {
  const opened = await openedHome(folders, { archive: { retryMs: 50 } })
  const { home, call } = opened
  const status = async () => jsonOf<ArchiveStatus>(await call('/api/v1/archive'))
  const until = async (done: (items: readonly ArchiveJob[], status: ArchiveStatus) => boolean) => {
    const end = Date.now() + 60_000
    for (;;) {
      const now = await status()
      if (done(now.items, now)) return now.items
      assert.ok(Date.now() < end, JSON.stringify(now))
      await delay(20)
    }
  }
  const turnOn = async (version: string, patch = {}) => {
    const activate = jsonBody({ version, reason: 'the first' })
    assert.equal((await call('/api/v1/conditions/pneumonia/activate', activate)).status, 200)
    const rule = jsonBody({ enabled: true, ...patch }, 'PATCH')
    assert.equal((await call('/api/v1/archive/rules/pneumonia', rule)).status, 200)
  }
  const stow = (objects: readonly Uint8Array[], path = '/dicomweb/studies') => {
    const { body, contentType } = encodeParts(objects)
    return call(path, {
      method: 'POST',
      headers: { 'content-type': contentType, accept: 'application/dicom+json' },
      body: new Uint8Array(body),
    })
  }
  const stop = async () => {
    await home.close()
  }
  return { ...opened, until, turnOn, stow, stop, status }
}

export const ended = (items: readonly ArchiveJob[], count: number) =>
  items.filter(({ state }) => state !== 'waiting').length === count

/** Everything below a folder, to look for what must not be there. */
export async function allBytes(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const read = files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1'))
  return `${entries.map(({ name }) => name).join('\n')}${(await Promise.all(read)).join('\n')}`
}
