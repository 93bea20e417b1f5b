// Whose image a DICOM file is and of which study: read only where a result is written into that same study, handed through
// and forgotten. Reading an image does not use it (passport-tags.ts).
import { AppError } from '../../errors.ts'
import { valueBytes } from './attributes.ts'
import { decodeText } from './character-sets.ts'
import { type Attributes, readDicomFile } from './data-set.ts'

/** Values as DICOM writes them (PN, DA, TM, UI); empty where absent or not well-formed. */
export interface StudyIdentity {
  readonly patientName: string
  readonly patientId: string
  readonly issuerOfPatientId: string
  readonly patientBirthDate: string
  readonly patientSex: string
  readonly studyInstanceUid: string
  readonly studyDate: string
  readonly studyTime: string
  readonly studyId: string
  readonly studyDescription: string
  readonly accessionNumber: string
  readonly referringPhysician: string
  /** The image that was read. */
  readonly image: {
    readonly sopClassUid: string
    readonly sopInstanceUid: string
    readonly seriesInstanceUid: string
    readonly modality: string
    readonly bodyPart: string
  }
}

const UID = /^[0-9]+(\.[0-9]+)*$/
const CODE = /^[A-Z0-9 _]{1,16}$/

/** @throws AppError `unsupported-image`, `undecodable-image`; `invalid` when it lacks the UIDs of study or image */
export function readStudyIdentity(file: Uint8Array): StudyIdentity {
  const { attributes } = readDicomFile(file)
  const sets = plain(attributes, 'x00080005').split('\\')
  const text = (tag: string) => shortened(decodeText(valueBytes(attributes, tag), sets))
  const matching = (tag: string, pattern: RegExp) => {
    const value = plain(attributes, tag)
    return pattern.test(value) ? value : ''
  }
  const uid = (tag: string) => {
    const value = matching(tag, UID)
    if (value === '' || value.length > 64) throw unidentified()
    return value
  }
  return {
    patientName: text('x00100010'),
    patientId: text('x00100020'),
    issuerOfPatientId: text('x00100021'),
    patientBirthDate: matching('x00100030', /^\d{8}$/),
    patientSex: matching('x00100040', /^[MFO]$/),
    studyInstanceUid: uid('x0020000d'),
    studyDate: matching('x00080020', /^\d{8}$/),
    studyTime: matching('x00080030', /^\d{2,6}(\.\d{1,6})?$/),
    studyId: text('x00200010'),
    studyDescription: text('x00081030'),
    accessionNumber: text('x00080050'),
    referringPhysician: text('x00080090'),
    image: {
      sopClassUid: uid('x00080016'),
      sopInstanceUid: uid('x00080018'),
      seriesInstanceUid: uid('x0020000e'),
      modality: matching('x00080060', CODE),
      bodyPart: matching('x00180015', CODE).replaceAll(/[ _]/g, ''),
    },
  }
}

function plain(attributes: Attributes, tag: string): string {
  const bytes = valueBytes(attributes, tag)?.subarray(0, 1024) ?? new Uint8Array()
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart()
}

/** Longest of these is a name of three groups of 64 characters. No backslash: it would make two values of one. */
function shortened(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\\]/gu, ' ')
    .trim()
    .slice(0, 194)
}

function unidentified(): AppError {
  return new AppError(
    'invalid',
    'The DICOM file does not say to which study and image it belongs, so nothing can be added to its study.',
  )
}
