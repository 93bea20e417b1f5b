// A DICOM upload through the whole server: read, its passport shown, and no one's name left anywhere.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { type Attribute, dicomFile, image } from '../../support/dicom/dicom-file.ts'
import { homeFolders, imageForm, jsonBody, servedHome, storePackage } from '../../support/home.ts'
import { pdfText } from '../../support/pdf-text.ts'
import { sharedPath } from '../../support/shared.ts'

const CANARY = /CANARY|PRIVACY/i
const PERSON: readonly Attribute[] = [
  ['00080020', 'DA', '19CANARY'],
  ['00080080', 'LO', 'PRIVACY HOSPITAL CANARY'],
  ['00091001', 'LO', 'CANARY PRIVATE'],
  ['00100010', 'PN', 'CANARY^NAME'],
  ['00100020', 'LO', 'CANARY-ID'],
  ['00180015', 'CS', 'CHEST'],
]

/** Two frames, so that one can be chosen. */
function madeFile(): Buffer {
  const attributes = [...image({ width: 24, height: 20 }, { '00280008': ['IS', '2'] }), ...PERSON]
  const pixels = Uint8Array.from({ length: 2 * 24 * 20 }, (_, i) => (i * 31) % 256)
  return dicomFile({ attributes, pixels })
}

test('a DICOM upload is read with its passport, and nothing that identifies a person is kept or said', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const server = await servedHome({ ...folders, env: { ...folders.env, ROENTGEN_LOG: 'debug' } })
  const said: string[] = []
  const call = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await fetch(server.url + path, init)
    said.push(
      JSON.stringify([...response.headers]),
      Buffer.from(await response.clone().arrayBuffer()).toString('latin1'),
    )
    return response
  }
  const activate = jsonBody({ version: id, reason: 'the first' })
  assert.equal((await call('/api/v1/conditions/pneumonia/activate', activate)).status, 200)
  const send = (bytes: Buffer, fields: Record<string, string> = {}) => {
    const body = imageForm({ condition: 'pneumonia', ...fields })
    body.set('image', new Blob([Uint8Array.from(bytes)]), 'CANARY^NAME.dcm')
    return call('/api/v1/predict', { method: 'POST', body })
  }

  const file = madeFile()
  const response = await send(file, { frame: '2' })
  assert.equal(response.status, 200)
  const prediction = (await response.json()) as {
    readonly id: string
    readonly image: {
      readonly format: string
      readonly width: number
      readonly passport: { readonly steps: string[]; readonly tags: { name: string }[] }
    }
  }
  const { format, width, passport } = prediction.image
  assert.deepEqual([format, width, passport.steps[0]], ['dicom', 24, 'frame 2 of 2 chosen'])
  assert.match(passport.steps.at(-3) ?? '', /^resized to/)
  assert.deepEqual(passport.tags.slice(0, 2), [
    { name: 'Modality', value: 'CR' },
    { name: 'Body part', value: 'CHEST' },
  ])
  const page = await (await call(`/predictions/${prediction.id}`)).text()
  assert.match(page, /frame 2 of 2 chosen/)
  assert.match(page, /Body part: CHEST/)
  const report = await call(`/api/v1/predictions/${prediction.id}/report.pdf`)
  const printed = pdfText(new Uint8Array(await report.arrayBuffer()))
  assert.match(printed, /Body part CHEST/)
  said.push(printed)

  for (const name of ['secondary-capture.dcm', 'structured-report.dcm']) {
    const path = `/api/v1/predictions/${prediction.id}/${name}`
    assert.equal((await call(path)).status, 200)
    const body = new FormData()
    body.set('source', new Blob([Uint8Array.from(file)]), 'CANARY^NAME.dcm')
    assert.equal((await call(path, { method: 'POST', body })).status, 422, 'it names no study')
  }

  const slice = image({ width: 24, height: 20 }, { '00080060': ['CS', 'CT'] })
  const attributes: Attribute[] = [...slice, ['00180015', 'CS', 'KNEE']]
  const pixels = Uint8Array.from({ length: 24 * 20 }, (_, i) => (i * 31) % 256)
  const wrong = await send(dicomFile({ attributes, pixels }))
  const { warnings } = (await wrong.json()) as { readonly warnings: string[] }
  assert.match(warnings[0] ?? '', /tagged as a CT slice, but Pneumonia expects X-rays/)
  assert.match(warnings[1] ?? '', /tagged with body part KNEE/)

  for (const [bytes, status, fields] of [
    [file, 422, { frame: '3' }],
    [file, 422, { frame: 'CANARY' }],
    [file.subarray(0, file.length - 700), 422, {}],
    [dicomFile({ attributes: PERSON }), 415, {}],
  ] as const) {
    assert.equal((await send(bytes, fields)).status, status)
  }
  const real = sharedPath('data/dicom/made_nih_phi_canary.dcm')
  if (real) assert.equal((await send(await readFile(real))).status, 200)
  await call('/api/v1/predictions')
  await call('/predictions')
  await call('/metrics')
  await server.stop()

  for (const text of [...said, server.errors()]) assert.doesNotMatch(text, CANARY)
  const kept = await readdir(folders.dataDir, { recursive: true, withFileTypes: true })
  const files = kept.filter((entry) => entry.isFile())
  assert.ok(files.length > 2)
  for (const { parentPath, name } of files) {
    assert.doesNotMatch(name, CANARY)
    assert.doesNotMatch(await readFile(join(parentPath, name), 'latin1'), CANARY, name)
  }
})
