// PACS integration, by all three ways: read once by the conditions that are set to, results stored in the same study,
// through failures and restarts, and nothing that identifies a person left behind.
import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { ArchiveStatus } from '../../../src/app/dicom/archive/archive-status.ts'
import {
  allBytes,
  archiveHome,
  ended,
  film,
  inArchive,
  STUDY,
} from '../../support/dicom/archive-home.ts'
import { dicomwebServer } from '../../support/dicom/dicomweb-server.ts'
import { jsonBody, jsonOf } from '../../support/home.ts'

test('what is sent by STOW-RS is read once by the condition that is set to, and nobody’s name stays', async (t) => {
  const archive = await dicomwebServer(t)
  const { folders, version, open } = await archiveHome(t, () => ({
    ROENTGEN_DICOM_STOW: '1',
    ROENTGEN_DICOM_ARCHIVE: archive.base,
  }))
  const { turnOn, stow, until, call, stop } = await open()
  await turnOn(version)
  const films = [
    film({ uid: '1.1' }),
    film({ uid: '1.2', part: 'HAND' }),
    film({ uid: '1.3', modality: 'CT' }),
  ]
  const answer = await stow(films)
  assert.equal(answer.status, 200)
  const taken = (await jsonOf<Record<string, { Value: unknown[] }>>(answer))['00081199']
  assert.equal(taken?.Value.length, 3)
  const items = await until((all) => ended(all, 3))
  assert.deepEqual(
    items.map(({ state }) => state),
    ['skipped', 'skipped', 'done'],
  )
  assert.deepEqual([archive.stored.length, archive.stored[0]?.study], [1, STUDY])
  const objects = archive.stored[0]?.objects ?? []
  assert.equal(objects.length, 2)
  for (const object of objects) {
    const text = object.toString('latin1')
    assert.ok(
      text.includes('CANARY^NAME') && text.includes('1.1\0'),
      'patient and source are named',
    )
  }
  assert.equal((await stow(films)).status, 200)
  // What comes after them shows that nothing of theirs waits or was added.
  assert.equal((await stow([film({ uid: '1.4', part: 'HAND' })])).status, 200)
  assert.equal((await until((all) => ended(all, 4))).length, 4)
  assert.equal(archive.stored.length, 1)
  const said = [
    await (await call('/archive')).text(),
    await (await call('/api/v1/archive')).text(),
    await (await call('/api/v1/predictions')).text(),
  ].join()
  await stop()
  assert.doesNotMatch(said, /CANARY/)
  assert.doesNotMatch(await allBytes(folders.dataDir), /CANARY|1\.2\.3\.4/)
})

test('an archive is asked for new images, through failures and a restart, and none is read twice', async (t) => {
  const archive = await dicomwebServer(t, { authorization: 'Basic c2VjcmV0' })
  const { version, open } = await archiveHome(t, () => ({
    ROENTGEN_DICOM_ARCHIVE: `${archive.base}/`,
    ROENTGEN_DICOM_ARCHIVE_AUTH: 'Basic c2VjcmV0',
  }))
  archive.instances.push(
    inArchive({ uid: '2.1' }),
    inArchive({ uid: '2.2', studyDate: '20200101' }),
    inArchive({ uid: '2.3', modality: 'MR' }),
  )
  const first = await open()
  archive.fail({ times: 2, status: 503 })
  await first.turnOn(version, { modalities: ['dx'] })
  await first.until((all) => ended(all, 1))
  assert.equal(archive.stored.length, 1)
  archive.instances.push(inArchive({ uid: '2.4' }))
  await first.until((all) => ended(all, 2))
  await first.stop()
  const second = await open()
  archive.instances.push(inArchive({ uid: '2.5' }))
  const all = await second.until((jobs) => ended(jobs, 3))
  assert.ok(all.every(({ state }) => state === 'done'))
  assert.equal(archive.stored.length, 3)
  assert.equal(archive.requests.filter((one) => one.endsWith('instances/2.1')).length, 1)
  assert.ok(!archive.requests.some((one) => /instances\/2\.[23]$/.test(one)))
})

test('a result that the archive does not take now is stored after the next start, from the same reading', async (t) => {
  const archive = await dicomwebServer(t)
  const { version, open, folders } = await archiveHome(t, () => ({
    ROENTGEN_DICOM_STOW: '1',
    ROENTGEN_DICOM_ARCHIVE: archive.base,
  }))
  const first = await open()
  await first.turnOn(version)
  archive.fail({ times: 1_000_000, status: 503 })
  await first.stow([film({ uid: '3.1' })])
  const [waiting] = await first.until((all) => (all[0]?.attempts ?? 0) >= 2)
  assert.deepEqual([waiting?.state, waiting?.results[0]?.delivered], ['waiting', false])
  assert.match(waiting?.detail ?? '', /status 503/)
  await first.stop()
  assert.equal((await readdir(join(folders.dataDir, 'archive/waiting'))).length, 1)
  archive.fail({ times: 0, status: 503 })
  const second = await open()
  const [done] = await second.until((all) => ended(all, 1))
  assert.equal(done?.state, 'done')
  assert.equal(done?.results[0]?.prediction, waiting?.results[0]?.prediction)
  assert.equal(archive.stored.length, 1)
  await second.stop()
  assert.deepEqual(await readdir(join(folders.dataDir, 'archive/waiting')), [])
})

test('a folder is watched: finished DICOM files are read, results lie beside them, all else is left alone', async (t) => {
  const { folders, version, open } = await archiveHome(t, ({ root }) => ({
    ROENTGEN_DICOM_FOLDER: join(root, 'films'),
  }))
  const watched = join(folders.root, 'films')
  const { turnOn, until, status } = await open()
  await until((_, now) =>
    now.sources.some(({ problem }) => problem === 'The folder cannot be read.'),
  )
  await turnOn(version)
  await mkdir(join(watched, 'CANARY^NAME'), { recursive: true })
  await writeFile(join(watched, 'CANARY^NAME/CANARY.dcm'), film({ uid: '4.1' }))
  await writeFile(join(watched, 'notes.txt'), 'not an image')
  const [job] = await until((all) => ended(all, 1))
  assert.deepEqual([job?.state, job?.source], ['done', 'folder'])
  const results = await readdir(join(watched, 'roentgen-results', STUDY))
  assert.equal(results.filter((name) => name.endsWith('.dcm')).length, 2)
  // A later file is found by a later look at the folder, which has met the results too.
  await writeFile(join(watched, 'CANARY^NAME/CANARY-2.dcm'), film({ uid: '4.2' }))
  await until((all) => ended(all, 2))
  assert.equal((await status()).items.length, 2, 'results are not read again')
  assert.doesNotMatch(await allBytes(folders.dataDir), /CANARY/)
})

test('what is no DICOM, too large, of another study or malformed is refused by the words of STOW-RS', async (t) => {
  const { version, open } = await archiveHome(t, () => ({
    ROENTGEN_DICOM_STOW: '1',
    ROENTGEN_MAX_UPLOAD_MB: '1',
  }))
  const { turnOn, stow, call, until } = await open()
  await turnOn(version)
  const good = film({ uid: '5.1' })
  const mixed = await stow([
    good,
    Buffer.from('no DICOM'),
    Buffer.alloc(2 ** 20 + 1),
    film({ uid: 'x' }),
  ])
  assert.equal(mixed.status, 202)
  const body = await jsonOf<Record<string, { Value: { '00081197': { Value: number[] } }[] }>>(mixed)
  assert.deepEqual(
    body['0008119A']?.Value.map((one) => one['00081197'].Value[0]),
    [0xc000, 0xa700, 0xc000],
  )
  assert.equal((await stow([Buffer.from('no DICOM')])).status, 409)
  assert.equal((await stow([film({ uid: '5.2' })], '/dicomweb/studies/9.9')).status, 409)
  assert.equal((await stow([film({ uid: '5.3' })], `/dicomweb/studies/${STUDY}`)).status, 200)
  await until((all) => ended(all, 2))
  const post = (type: string, text: string) =>
    call('/dicomweb/studies', { method: 'POST', headers: { 'content-type': type }, body: text })
  const related = 'multipart/related; type="application/dicom"; boundary=b'
  for (const [type, text, status] of [
    ['application/json', '{}', 415],
    ['multipart/related', '--b--', 415],
    [related, 'nothing of the kind', 422],
    [related, '--b\r\nContent-Type: application/dicom\r\n\r\ncut off', 422],
    [related, '--b--', 422],
    [related, `--b\r\n${'X'.repeat(20_000)}: y\r\n\r\n\r\n--b--`, 422],
  ] as const) {
    const response = await post(type, text)
    assert.equal(response.status, status, text.slice(0, 40))
    assert.match((await jsonOf<{ detail: string }>(response)).detail, /^[A-Z].*\.$/)
  }
})

test('off unless it is set; rules are checked, by page and by program', async (t) => {
  const { open } = await archiveHome(t, () => ({}))
  const { stow, call } = await open()
  assert.equal((await stow([film({ uid: '6.1' })])).status, 404)
  const patch = (id: string, body: object) =>
    call(`/api/v1/archive/rules/${id}`, jsonBody(body, 'PATCH')).then(({ status }) => status)
  assert.equal(await patch('nothing', { enabled: true }), 404)
  assert.equal(await patch('pneumonia', { modalities: [] }), 422)
  assert.equal(await patch('pneumonia', { bodyParts: ['<b>'] }), 422)
  assert.equal(await patch('pneumonia', { something: 1 }), 422)
  const form = (fields: Record<string, string>) =>
    call('/archive/rules', { method: 'POST', body: new URLSearchParams(fields) })
  const saved = await form({
    condition: 'pneumonia',
    enabled: '1',
    modalities: 'cr, dx',
    bodyParts: 'chest ribs',
  })
  assert.equal(saved.status, 303)
  assert.equal((await form({ condition: 'pneumonia', modalities: '' })).status, 422)
  const { rules } = await jsonOf<ArchiveStatus>(await call('/api/v1/archive'))
  assert.deepEqual(rules[0], {
    condition: 'pneumonia',
    name: 'Pneumonia',
    enabled: true,
    modalities: ['CR', 'DX'],
    bodyParts: ['CHEST', 'RIBS'],
    unnamedPart: false,
  })
  const page = await (await call('/archive')).text()
  assert.match(page, /ROENTGEN_DICOM_STOW enables it/)
  assert.match(page, /value="CHEST RIBS"/)
})
