// The addresses that give and take DICOM, in words. A test holds this list against the routes.
import * as schemas from '../dicom/schema.ts'
import { type FormField, json, type Operation } from './openapi-operation.ts'

const source: FormField = {
  description: 'the very DICOM file that was read',
  kind: 'file',
  required: true,
}
const ANONYMOUS = 'The object names nobody and makes a study of its own.'
const SAME_STUDY =
  'Patient and study are taken over from the source, which must be the very file that was read; nothing of it is kept.'
const GONE = ['410', 'gone: it has expired'] as const

function exported(o: { file: string; summary: string; unknown: string }): Operation[] {
  const path = `/api/v1/predictions/{id}/${o.file}`
  const answers = { 200: { description: 'The object', type: 'application/dicom' } }
  const unknown = ['404', o.unknown] as const
  return [
    {
      method: 'get',
      path,
      tag: 'predictions',
      summary: o.summary,
      description: ANONYMOUS,
      answers,
      errors: [unknown, GONE],
    },
    {
      method: 'post',
      path,
      tag: 'predictions',
      summary: `${o.summary}, in the study of its source`,
      description: SAME_STUDY,
      form: { source },
      answers,
      errors: [unknown, GONE, ['422', 'image-required, invalid']],
    },
  ]
}

export const DICOM: readonly Operation[] = [
  ...exported({
    file: 'secondary-capture.dcm',
    summary: 'The image with its heatmap burnt in, as DICOM Secondary Capture',
    unknown: 'unknown-prediction, not-found: it has no heatmap',
  }),
  ...exported({
    file: 'structured-report.dcm',
    summary: 'Findings, probabilities and version as a DICOM structured report (TID 1500)',
    unknown: 'unknown-prediction',
  }),
  {
    method: 'get',
    path: '/api/v1/archive',
    tag: 'archive',
    summary: 'Images that came from an archive and what became of them, newest first',
    answers: { 200: json(schemas.ArchiveStatusSchema, 'What goes on') },
  },
  {
    method: 'patch',
    path: '/api/v1/archive/rules/{id}',
    tag: 'archive',
    summary: 'Which images from an archive a condition reads by itself',
    description: 'What is absent stays as it is.',
    json: schemas.ArchiveRulePatchSchema,
    answers: { 200: json(schemas.ArchiveRuleSchema, 'The rule') },
    errors: [
      ['404', 'unknown-condition'],
      ['422', 'invalid'],
    ],
  },
]
