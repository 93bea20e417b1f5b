// The addresses of readings and of the server itself, in words. A test holds these lists against the routes.
import * as schemas from '../http/api-schemas.ts'
import { type FormField, json, type Operation, paging } from './openapi-operation.ts'

const image: FormField = {
  description: 'DICOM, JPEG, PNG, WebP or TIFF',
  kind: 'file',
  required: true,
}
const condition: FormField = { description: 'id of the condition', required: true }
const explaining = {
  frame: {
    description: 'frame of a file that holds several, counted from 1; the first by default',
  },
  operatingPoint: { description: 'name of one of the version’s operating points' },
  explain: { description: 'gradcam (default), gradcam++, hirescam, occlusion or none' },
  layer: { description: 'layer to explain' },
  target: { description: 'class to explain; the decided one by default' },
} as const
const NOT_READ = ['415', 'unsupported-image'] as const
const TOO_LARGE = ['413', 'upload-too-large, too-many-pixels'] as const
const BUSY = ['503', 'busy, loading; with Retry-After'] as const

export const READING: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/v1/predict',
    tag: 'reading',
    summary: 'Read one image',
    description:
      'The active version of the condition answers, or the version that is named. X-Roentgen-Version tells which.',
    form: {
      image,
      condition,
      version: { description: 'condition/name@n; need not be active' },
      ...explaining,
    },
    answers: { 200: json(schemas.PredictionSchema, 'The reading') },
    errors: [
      ['404', 'unknown-condition, unknown-version'],
      ['409', 'no-active-version, hash-mismatch'],
      TOO_LARGE,
      NOT_READ,
      [
        '422',
        'condition-required, image-required, undecodable-image, unknown-operating-point, unknown-layer, unknown-target',
      ],
      BUSY,
    ],
  },
  {
    method: 'post',
    path: '/api/v1/compare',
    tag: 'reading',
    summary: 'Read one image with two versions',
    form: {
      image,
      condition,
      a: { description: 'condition/name@n', required: true },
      b: { description: 'condition/name@n', required: true },
      ...explaining,
    },
    answers: { 200: json(schemas.ComparisonSchema, 'Both readings; deltas are b minus a') },
    errors: [['404', 'unknown-condition, unknown-version'], TOO_LARGE, NOT_READ, BUSY],
  },
  {
    method: 'post',
    path: '/api/v1/batch',
    tag: 'reading',
    summary: 'Read several images',
    description:
      'Images, a zip of them, or a folder below the data root. One line of JSON for each image, in order, sent as they are done: a Prediction or a Problem, with its name in "file" where it comes from a zip or folder. With Accept: text/csv a table with a header line instead. The header X-Roentgen-Images tells how many there will be.',
    form: {
      image: { description: 'any number of images', kind: 'files' },
      zip: { description: 'a zip of images, read in its own order', kind: 'file' },
      folder: { description: 'a folder below the data root, such as "chest-xray/test"' },
      condition,
      version: { description: 'condition/name@n; need not be active' },
      ...explaining,
    },
    answers: { 200: { description: 'A line for each image', type: 'application/x-ndjson' } },
    errors: [
      ['404', 'unknown-condition, unknown-version, unknown-dataset: no such folder'],
      TOO_LARGE,
      ['422', 'condition-required, image-required, invalid: the zip or the folder'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/predictions',
    tag: 'predictions',
    summary: 'What was read before, newest first',
    query: {
      condition: 'id of a condition',
      version: 'condition/name@n',
      format:
        'json (default) or csv: the page as a table, the address of the next in the header Link',
      ...paging,
    },
    answers: { 200: json(schemas.pageOf(schemas.PredictionSchema), 'A page') },
  },
  {
    method: 'get',
    path: '/api/v1/predictions/{id}',
    tag: 'predictions',
    summary: 'One reading, with what readers said about it',
    answers: { 200: json(schemas.PredictionSchema, 'The reading') },
    errors: [
      ['404', 'unknown-prediction'],
      ['410', 'gone: it has expired'],
    ],
  },
  {
    method: 'delete',
    path: '/api/v1/predictions/{id}',
    tag: 'predictions',
    summary: 'Forget a reading and its image now',
    answers: { 204: { description: 'Forgotten' } },
    errors: [['404', 'unknown-prediction']],
  },
  {
    method: 'get',
    path: '/api/v1/predictions/{id}/heatmap.png',
    tag: 'predictions',
    summary: 'The heatmap as a transparent overlay of the upload’s size',
    query: {
      composite: '1: image and overlay in one',
      scale: 'value of the map to be drawn in full colour, to show two results alike',
    },
    answers: { 200: { description: 'The picture', type: 'image/png' } },
    errors: [
      ['404', 'unknown-prediction, not-found'],
      ['410', 'gone'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/predictions/{id}/report.pdf',
    tag: 'predictions',
    summary: 'A page to print: images, decision, probabilities, warnings and how they came about',
    answers: { 200: { description: 'The report', type: 'application/pdf' } },
    errors: [
      ['404', 'unknown-prediction'],
      ['410', 'gone: it has expired'],
    ],
  },
  {
    method: 'post',
    path: '/api/v1/predictions/{id}/feedback',
    tag: 'predictions',
    summary: 'Say what you think of a reading',
    json: schemas.FeedbackBodySchema,
    answers: { 201: json(schemas.FeedbackSchema, 'Kept') },
    errors: [['404', 'unknown-prediction']],
  },
]
