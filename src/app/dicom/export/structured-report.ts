// A result as a DICOM structured report: Comprehensive 3D SR (PS3.3 A.35.13) with the measurement report of PS3.16 TID 1500,
// one measurement group (TID 1501) for each class. What DICOM has no code for is coded under 99ROENTGEN.
import type { Prediction } from '../../../registry/predictions/predictions.ts'
import {
  type Code,
  code,
  codeSequence,
  container,
  dcm,
  imageItem,
  number,
  snomed,
  templateOf,
  text,
  uidReference,
} from './content-items.ts'
import { type DataSet, encodePart10 } from './part10.ts'
import { EXPORT_NOTICE } from './secondary-capture.ts'
import {
  captureReference,
  commonAttributes,
  type ExportSubject,
  type ImageReference,
  sourceReference,
  uidsOf,
} from './subject.ts'
import { SOP_CLASS } from './uids.ts'

const SCHEME = '99ROENTGEN'
const own = (value: string, meaning: string): Code => ({ value, scheme: SCHEME, meaning })
const PERCENT: Code = { value: '%', scheme: 'UCUM', meaning: 'Percent' }
const COMMENT = dcm('121106', 'Comment')

export function encodeStructuredReport(subject: ExportSubject): Promise<Uint8Array> {
  const uids = uidsOf(subject)
  return encodePart10({
    sopClassUid: SOP_CLASS.comprehensive3dSr,
    sopInstanceUid: uids.report,
    attributes: {
      ...commonAttributes(subject),
      CodingSchemeIdentificationSequence: [
        {
          CodingSchemeDesignator: SCHEME,
          CodingSchemeName: 'Classes of Roentgen models',
          CodingSchemeResponsibleOrganization: 'Model author',
        },
      ],
      Modality: 'SR',
      SeriesInstanceUID: uids.reportSeries,
      SeriesNumber: '9002',
      SeriesDescription: `${subject.conditionName}: findings (research only)`.slice(0, 64),
      ReferencedPerformedProcedureStepSequence: [],
      InstanceNumber: '1',
      CompletionFlag: 'COMPLETE',
      VerificationFlag: 'UNVERIFIED',
      PreliminaryFlag: 'PRELIMINARY',
      PerformedProcedureCodeSequence: [],
      CurrentRequestedProcedureEvidenceSequence: evidence(subject),
      ValueType: 'CONTAINER',
      ConceptNameCodeSequence: codeSequence(dcm('126000', 'Imaging Measurement Report')),
      ContinuityOfContent: 'SEPARATE',
      ContentTemplateSequence: templateOf('1500'),
      ContentSequence: content(subject),
    },
  })
}

/** The images that the report is about, by series: what was read, and the capture where it has a map. */
function references(subject: ExportSubject): ImageReference[] {
  const source = sourceReference(subject)
  const capture = subject.prediction.heatmap ? captureReference(subject) : undefined
  return [source, capture].filter((one) => one !== undefined)
}

function evidence(subject: ExportSubject): DataSet[] {
  const uids = uidsOf(subject)
  const series: DataSet[] = []
  const source = sourceReference(subject)
  if (source && subject.identity) {
    const { seriesInstanceUid } = subject.identity.image
    series.push({ ReferencedSOPSequence: [source], SeriesInstanceUID: seriesInstanceUid })
  }
  if (subject.prediction.heatmap) {
    const capture = captureReference(subject)
    series.push({ ReferencedSOPSequence: [capture], SeriesInstanceUID: uids.captureSeries })
  }
  if (series.length === 0) return []
  return [{ StudyInstanceUID: uids.study, ReferencedSeriesSequence: series }]
}

function content(subject: ExportSubject): DataSet[] {
  const { prediction, conditionName } = subject
  const images = references(subject)
  const english: Code = { value: 'en', scheme: 'RFC5646', meaning: 'English' }
  return [
    code('HAS CONCEPT MOD', dcm('121049', 'Language of Content Item and Descendants'), english),
    code('HAS OBS CONTEXT', dcm('121005', 'Observer Type'), dcm('121007', 'Device')),
    uidReference('HAS OBS CONTEXT', dcm('121012', 'Device Observer UID'), uidsOf(subject).device),
    text('HAS OBS CONTEXT', dcm('121013', 'Device Observer Name'), prediction.version),
    text('HAS OBS CONTEXT', dcm('121014', 'Device Observer Manufacturer'), 'Roentgen'),
    code(
      'HAS CONCEPT MOD',
      dcm('121058', 'Procedure Reported'),
      snomed('363679005', 'Imaging procedure'),
    ),
    ...(images.length > 0
      ? [
          container(
            dcm('111028', 'Image Library'),
            [
              container(
                dcm('126200', 'Image Library Group'),
                images.map((one) => imageItem({ ...one })),
              ),
            ],
            '1600',
          ),
        ]
      : []),
    container(
      dcm('126010', 'Imaging Measurements'),
      prediction.classes.map((_, at) => group(subject, at)),
    ),
    text(
      'CONTAINS',
      COMMENT,
      [EXPORT_NOTICE, `Analysed for ${conditionName}.`, ...prediction.warnings].join(' '),
    ),
  ]
}

/** One class: what it is, how probable, and what the operating point makes of it. */
function group(subject: ExportSubject, at: number): DataSet {
  const { prediction } = subject
  const { version, sha256, decision, calibration } = prediction
  const { label, probability, uncalibrated } = prediction.classes[
    at
  ] as Prediction['classes'][number]
  const finding = decision.findings.find((one) => one.label === label)
  const isFound = finding ? finding.positive : decision.label === label
  const parts = [
    text('HAS OBS CONTEXT', dcm('112039', 'Tracking Identifier'), label),
    uidReference(
      'HAS OBS CONTEXT',
      dcm('112040', 'Tracking Unique Identifier'),
      uidsOf(subject).tracking(label),
    ),
    text('HAS CONCEPT MOD', dcm('111001', 'Algorithm Name'), version),
    text('HAS CONCEPT MOD', dcm('111003', 'Algorithm Version'), `SHA-256 ${sha256}`),
    code('CONTAINS', dcm('121071', 'Finding'), classCode(label, at)),
    number(dcm('111012', 'Certainty of Finding'), { value: 100 * probability, unit: PERCENT }),
    ...(uncalibrated === null
      ? []
      : [
          number(own('RAW', 'Probability before calibration'), {
            value: 100 * uncalibrated,
            unit: PERCENT,
          }),
        ]),
    code(
      'CONTAINS',
      own('DECISION', 'Decision of the model at its operating point'),
      isFound ? snomed('10828004', 'Positive') : snomed('260385009', 'Negative'),
    ),
    text('CONTAINS', own('RULE', 'Operating point'), ruleWords(decision, finding?.threshold)),
    text('CONTAINS', own('CALIBRATION', 'Calibration'), calibrationWords(calibration)),
  ]
  return container(dcm('125007', 'Measurement Group'), parts, '1501')
}

/** Labels are the model maker's words: a short one is its own code. */
function classCode(label: string, at: number): Code {
  return own(/^[\w.-]{1,16}$/.test(label) ? label : `CLASS-${at + 1}`, label)
}

function ruleWords(decision: Prediction['decision'], threshold: number | null | undefined): string {
  const name = decision.operatingPoint ?? 'default'
  return typeof threshold === 'number'
    ? `${name}, probability of ${threshold.toPrecision(4)} or more`
    : name
}

function calibrationWords(calibration: Prediction['calibration']): string {
  if (!calibration) return 'not calibrated'
  const { method, temperature, eceBefore, eceAfter } = calibration
  const error =
    eceBefore === null || eceAfter === null
      ? ''
      : `; expected calibration error ${eceBefore.toPrecision(3)} before, ${eceAfter.toPrecision(3)} after`
  return `${method}, ${temperature.toPrecision(4)}${error}`
}
