// The settings of the way to an image archive: a wrong one stops the start and is named.
import assert from 'node:assert/strict'
import test from 'node:test'
import { readConfig } from '../src/config.ts'

test('settings of the archive are read, and a wrong one is named', () => {
  assert.deepEqual(readConfig({}).dicom, {
    stow: false,
    folder: undefined,
    archive: undefined,
    archiveAuthorization: undefined,
    pollMs: 30_000,
    days: 2,
  })
  const { dicom } = readConfig({
    ROENTGEN_DICOM_STOW: '1',
    ROENTGEN_DICOM_ARCHIVE: 'http://orthanc:8042/dicom-web//',
  })
  assert.deepEqual([dicom.stow, dicom.archive], [true, 'http://orthanc:8042/dicom-web'])
  const wrong: [string, string][] = [
    ['ROENTGEN_DICOM_STOW', 'yes'],
    ['ROENTGEN_DICOM_ARCHIVE', 'orthanc'],
    ['ROENTGEN_DICOM_ARCHIVE', 'file:///etc'],
    ['ROENTGEN_DICOM_POLL_SECONDS', '0'],
    ['ROENTGEN_DICOM_DAYS', '-1'],
  ]
  for (const [name, value] of wrong) {
    assert.throws(() => readConfig({ [name]: value }), {
      code: 'setting',
      message: new RegExp(name),
    })
  }
})
