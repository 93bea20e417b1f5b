// What the OpenAPI document says about evaluations of versions and their plots.
import { z } from 'zod'
import { EvaluateSchema } from '../evaluations/api.ts'
import { json, type Operation } from './openapi-operation.ts'

const ONE = '/api/v1/versions/{condition}/{name}/{n}'

const MetricsSchema = z.object({
  accuracy: z.number().nullable(),
  balancedAccuracy: z.number().nullable(),
  auc: z.number().nullable(),
  sensitivity: z.number().nullable(),
  specificity: z.number().nullable(),
  f1: z.number().nullable(),
  n: z.int(),
  testSet: z.string().describe('fingerprint of the images: equal for the very same images'),
})

const EvaluationSchema = z.object({
  id: z.string(),
  version: z.string(),
  sha256: z.string(),
  dataset: z.string().describe('path below the data root'),
  split: z.string(),
  metrics: MetricsSchema,
  isEvidence: z.boolean().describe('enough images of both kinds to count in the gate'),
  at: z.iso.datetime(),
  by: z.string(),
  via: z.string(),
})

const WholeEvaluationSchema = EvaluationSchema.extend({
  report: z.object({
    assessment: z
      .looseObject({})
      .describe('every figure with its 95% interval, for all operating points and each class'),
    figures: z.looseObject({}).describe('what the plots are drawn from'),
    warnings: z.array(z.string()).describe('sentences; whether it falls apart here comes first'),
    leftOut: z.object({
      count: z.int(),
      files: z.array(z.object({ file: z.string(), reason: z.string() })),
    }),
    seconds: z.number(),
  }),
})

export const EVALUATION: readonly Operation[] = [
  {
    method: 'post',
    path: `${ONE}/evaluate`,
    tag: 'versions',
    summary: 'Measure a version on labelled images from elsewhere, and keep the result beside it',
    description:
      'Answers with lines of JSON: `{done,total}` for each image, `{image,problem}` for one that cannot be read, and last ' +
      '`{evaluation}`, or `{problem}` when there is none. A version without figures of its own can be activated after an evaluation on at least 20 images of ' +
      'both kinds; two versions that were evaluated on the same images are compared by the gate.',
    json: EvaluateSchema,
    answers: { 200: { description: 'Lines of JSON', type: 'application/x-ndjson' } },
    errors: [
      ['404', 'unknown-version, unknown-dataset'],
      ['409', 'conflict: it cannot read images, or there is none with its labels'],
      ['422', 'invalid'],
    ],
  },
  {
    method: 'get',
    path: `${ONE}/evaluations`,
    tag: 'versions',
    summary: 'What a version did on images from elsewhere, newest first',
    answers: { 200: json(z.object({ items: z.array(EvaluationSchema) }), 'All of them') },
    errors: [['404', 'unknown-version']],
  },
  {
    method: 'get',
    path: `${ONE}/evaluations/{id}`,
    tag: 'versions',
    summary: 'One evaluation whole: figures with intervals, curves, warnings',
    answers: { 200: json(WholeEvaluationSchema, 'The evaluation') },
    errors: [['404', 'unknown-version, not-found']],
  },
  {
    method: 'get',
    path: '/api/v1/versions/{condition}/{name}/{n}/plots/{file}',
    tag: 'versions',
    summary: 'A plot of a version as a file',
    description:
      'training_curves, loss_curve, accuracy_curve, confusion_matrix, roc, pr or reliability, with .png (300 dpi), .pdf ' +
      '(text as text) or .svg. That of the package where it has one, else drawn from what the package says.',
    answers: { 200: { description: 'The plot', type: 'image/png' } },
    errors: [['404', 'unknown-version, not-found: the version brings no such results']],
  },
]
