// Whose result it is, as both objects say it: patient and study of the source file where there is one, else a study of its
// own that names nobody.
import type { StudyIdentity } from '../../../imaging/dicom/study-identity.ts'
import type { Prediction } from '../../../registry/predictions/predictions.ts'
import { PRODUCT_VERSION } from '../../product.ts'
import type { DataSet } from './part10.ts'
import { derivedUid, SOP_CLASS } from './uids.ts'

export interface ExportSubject {
  readonly prediction: Prediction
  readonly conditionName: string
  /** Of the file that was read; undefined makes an anonymous study. */
  readonly identity: StudyIdentity | undefined
}

export interface ImageReference {
  readonly ReferencedSOPClassUID: string
  readonly ReferencedSOPInstanceUID: string
}

/** UIDs that follow from the result, so that exporting twice gives the same objects. */
export function uidsOf({ prediction, identity }: ExportSubject) {
  // The same image through the same package is the same result, whoever asked and when; with another graph or threshold of
  // it, or another heatmap, it is not.
  const { sha256, condition, heatmap, precision, decision } = prediction
  const made = [precision, String(decision.threshold), heatmap?.method ?? '', heatmap?.target ?? '']
  const seed = identity
    ? [identity.image.sopInstanceUid, condition, sha256, ...made]
    : [prediction.id]
  return {
    study: identity?.studyInstanceUid ?? derivedUid('study', ...seed),
    captureSeries: derivedUid('capture series', ...seed),
    capture: derivedUid('capture', ...seed),
    reportSeries: derivedUid('report series', ...seed),
    report: derivedUid('report', ...seed),
    tracking: (label: string) => derivedUid('finding', ...seed, label),
    device: derivedUid('device', prediction.sha256),
  }
}

/** Modules patient, study and equipment, and when it was made (UTC). */
export function commonAttributes(subject: ExportSubject): DataSet {
  const { prediction, identity } = subject
  const { date, time } = momentOf(prediction.at)
  return {
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    TimezoneOffsetFromUTC: '+0000',
    ContentDate: date,
    ContentTime: time,
    ...(identity ? identified(identity) : anonymous(subject)),
    Manufacturer: 'Roentgen',
    ManufacturerModelName: prediction.version.slice(0, 64),
    DeviceSerialNumber: prediction.sha256,
    SoftwareVersions: `Roentgen ${PRODUCT_VERSION}`,
  }
}

function identified(identity: StudyIdentity): DataSet {
  return {
    PatientName: identity.patientName,
    PatientID: identity.patientId,
    ...(identity.issuerOfPatientId && { IssuerOfPatientID: identity.issuerOfPatientId }),
    PatientBirthDate: identity.patientBirthDate,
    PatientSex: identity.patientSex,
    StudyInstanceUID: identity.studyInstanceUid,
    StudyDate: identity.studyDate,
    StudyTime: identity.studyTime,
    StudyID: identity.studyId,
    AccessionNumber: identity.accessionNumber,
    ReferringPhysicianName: identity.referringPhysician,
    ...(identity.studyDescription && { StudyDescription: identity.studyDescription }),
  }
}

function anonymous(subject: ExportSubject): DataSet {
  const { prediction } = subject
  return {
    PatientName: 'Anonymous',
    // Archives file by it; it leads to the result and to nobody.
    PatientID: prediction.id,
    PatientBirthDate: '',
    PatientSex: '',
    PatientIdentityRemoved: 'YES',
    DeidentificationMethod: 'Made without the attributes of the source',
    StudyInstanceUID: uidsOf(subject).study,
    StudyDate: momentOf(prediction.at).date,
    StudyTime: momentOf(prediction.at).time,
    StudyID: '',
    AccessionNumber: '',
    ReferringPhysicianName: '',
  }
}

/** DICOM date and time in UTC. */
function momentOf(iso: string): { date: string; time: string } {
  const text = new Date(iso).toISOString()
  return {
    date: text.slice(0, 10).replaceAll('-', ''),
    time: text.slice(11, 19).replaceAll(':', ''),
  }
}

/** The image that was read; undefined where nothing is known of it. */
export function sourceReference({ identity }: ExportSubject): ImageReference | undefined {
  return (
    identity && {
      ReferencedSOPClassUID: identity.image.sopClassUid,
      ReferencedSOPInstanceUID: identity.image.sopInstanceUid,
    }
  )
}

export function captureReference(subject: ExportSubject): ImageReference {
  return {
    ReferencedSOPClassUID: SOP_CLASS.secondaryCapture,
    ReferencedSOPInstanceUID: uidsOf(subject).capture,
  }
}
