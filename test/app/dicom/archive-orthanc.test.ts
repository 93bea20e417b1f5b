// The same against a real archive: Debian's Orthanc with its DICOMweb plugin, where they are installed.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ArchiveStatus } from '../../../src/app/dicom/archive/archive-status.ts'
import { dicomFile, image } from '../../support/dicom/dicom-file.ts'
import { homeFolders, jsonBody, jsonOf, openedHome, storePackage } from '../../support/home.ts'

const ORTHANC = '/usr/sbin/Orthanc'
const PLUGIN = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so'
const skip = !existsSync(ORTHANC) || !existsSync(PLUGIN) ? 'Orthanc is not installed' : false

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 60_000
  for (;;) {
    const found = await ask().catch(() => undefined)
    if (found !== undefined) return found
    assert.ok(Date.now() < end, 'it took longer than a minute')
    await delay(50)
  }
}

async function orthanc(t: TestContext, root: string): Promise<string> {
  const folder = join(root, 'orthanc')
  await mkdir(folder, { recursive: true })
  const port = await freePort()
  const config = join(folder, 'orthanc.json')
  await writeFile(
    config,
    JSON.stringify({
      Name: 'test',
      StorageDirectory: join(folder, 'store'),
      IndexDirectory: join(folder, 'store'),
      HttpPort: port,
      DicomServerEnabled: false,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: false,
      Plugins: [PLUGIN],
      DicomWeb: { Enable: true, Root: '/dicom-web/' },
    }),
  )
  const child = spawn(ORTHANC, [config], { stdio: 'ignore' })
  const gone = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await gone
  })
  const base = `http://127.0.0.1:${port}`
  await until(async () => ((await fetch(`${base}/system`)).ok ? true : undefined))
  return base
}

test('images of an Orthanc are read, and their results lie in the same study there', {
  skip,
}, async (t) => {
  const folders = await homeFolders(t)
  const base = await orthanc(t, folders.root)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  const pixels = Uint8Array.from({ length: 24 * 20 }, (_, i) => (i * 31) % 256)
  const film = dicomFile({
    attributes: [
      ...image({ width: 24, height: 20 }, { '00080060': ['CS', 'DX'] }),
      ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.1.1'],
      ['00080018', 'UI', '1.2.3.4.1.1'],
      ['00080020', 'DA', today],
      ['00100010', 'PN', 'DOE^JANE'],
      ['00100020', 'LO', 'ID-1'],
      ['00180015', 'CS', 'CHEST'],
      ['0020000d', 'UI', '1.2.3.4'],
      ['0020000e', 'UI', '1.2.3.4.1'],
    ],
    pixels,
  })
  const sent = await fetch(`${base}/instances`, { method: 'POST', body: new Uint8Array(film) })
  assert.equal(sent.status, 200)
  const env = {
    ...folders.env,
    ROENTGEN_DICOM_ARCHIVE: `${base}/dicom-web`,
    ROENTGEN_DICOM_POLL_SECONDS: '1',
  }
  const { call } = await openedHome({ ...folders, env })
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  await call('/api/v1/archive/rules/pneumonia', jsonBody({ enabled: true }, 'PATCH'))
  const job = await until(async () => {
    const { items } = await jsonOf<ArchiveStatus>(await call('/api/v1/archive'))
    return items.find(({ state }) => state !== 'waiting')
  })
  assert.equal(job.state, 'done', job.detail ?? '')
  const accept = { headers: { Accept: 'application/dicom+json' } }
  const found = await fetch(`${base}/dicom-web/studies/1.2.3.4/instances`, accept)
  const instances = (await found.json()) as Record<string, { Value?: string[] }>[]
  const classes = instances.map((one) => one['00080016']?.Value?.[0]).sort()
  assert.deepEqual(classes, [
    '1.2.840.10008.5.1.4.1.1.1.1',
    '1.2.840.10008.5.1.4.1.1.7',
    '1.2.840.10008.5.1.4.1.1.88.34',
  ])
  const patients = (await (await fetch(`${base}/patients`)).json()) as string[]
  assert.equal(patients.length, 1)
})
