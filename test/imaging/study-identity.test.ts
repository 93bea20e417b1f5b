// Names in the alphabets of the world, and files that name no study.
import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeText } from '../../src/imaging/dicom/character-sets.ts'
import { readStudyIdentity } from '../../src/imaging/dicom/study-identity.ts'
import { type Attribute, dicomFile, image } from '../support/dicom/dicom-file.ts'

const UIDS: readonly Attribute[] = [
  ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.1'],
  ['00080018', 'UI', '1.2.3.4.5'],
  ['0020000d', 'UI', '1.2.3.4'],
  ['0020000e', 'UI', '1.2.3.4.1'],
]

function fileWith(attributes: readonly Attribute[]): Buffer {
  const size = { width: 4, height: 4 }
  return dicomFile({ attributes: [...image(size), ...attributes], pixels: new Uint8Array(16) })
}

test('text is read in the character set that the file names', () => {
  const read = (hex: string, sets: string) =>
    decodeText(Buffer.from(hex.replaceAll(' ', ''), 'hex'), sets.split('\\'))
  // The examples of PS3.5 annexes H, I, J and K, and one each of the others.
  assert.equal(read('42 75 63 5e 4a e9 72 f4 6d 65', 'ISO_IR 100'), 'Buc^Jérôme')
  assert.equal(read('bb ee da', 'ISO_IR 144'), 'Люк')
  const yamada =
    '59 61 6d 61 64 61 5e 54 61 72 6f 75 3d 1b 24 42 3b 33 45 44 1b 28 42 5e 1b 24 42 42 40 4f 3a 1b 28 42'
  assert.equal(read(yamada, '\\ISO 2022 IR 87'), 'Yamada^Tarou=山田^太郎')
  assert.equal(read('48 6f 6e 67 3d 1b 24 29 43 fb f3', '\\ISO 2022 IR 149'), 'Hong=洪')
  assert.equal(read('57 61 6e 67 3d e7 8e 8b', 'ISO_IR 192'), 'Wang=王')
  assert.equal(read('cd f5', 'GB18030'), '王')
  assert.equal(read('41 42 20 20', 'something else'), 'AB')
  assert.equal(decodeText(undefined, []), '')
})

test('values that are not well-formed are left out, and a line break or a second value cannot get in', () => {
  const file = fileWith([
    ...UIDS,
    ['00080020', 'DA', 'yesterday'],
    ['00100010', 'PN', 'DOE^JANE\\DOE^JOHN'],
    ['00100020', 'LO', 'A\nB'],
    ['00100040', 'CS', 'X'],
  ])
  const identity = readStudyIdentity(file)
  assert.deepEqual([identity.studyDate, identity.patientSex], ['', ''])
  assert.deepEqual([identity.patientName, identity.patientId], ['DOE^JANE DOE^JOHN', 'A B'])
  assert.equal(identity.studyInstanceUid, '1.2.3.4')
})

test('a file without the UIDs of study and image, or with others than UIDs, is refused in a sentence that names nobody', () => {
  const name: Attribute = ['00100010', 'PN', 'CANARY^NAME']
  for (const left of ['00080018', '0020000d']) {
    const file = fileWith([name, ...UIDS.filter(([tag]) => tag !== left)])
    assert.throws(() => readStudyIdentity(file), { code: 'invalid' })
  }
  const wrong = fileWith([name, ...UIDS.slice(1), ['00080016', 'UI', 'CANARY']])
  assert.throws(
    () => readStudyIdentity(wrong),
    (error: Error) => !/CANARY/.test(error.message),
  )
})
