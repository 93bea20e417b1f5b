// Every page rendered from the samples, by name, for the tests that hold for all of them.

import { comparePage } from '../../views/comparisons/form.ts'
import { conditionListPage } from '../../views/conditions/list.ts'
import { type ConditionPageProps, conditionPage } from '../../views/conditions/show.ts'
import { notificationsPage } from '../../views/notifications/list.ts'
import { diagnosePage } from '../../views/predictions/form.ts'
import { predictionListPage } from '../../views/predictions/list.ts'
import { predictionPage } from '../../views/predictions/show.ts'
import type { Html } from '../../views/shared/components.ts'
import { errorPage, type ProblemProps } from '../../views/shared/error.ts'
import { apiDocsPage } from '../../views/system/api-docs.ts'
import { statusPage } from '../../views/system/status.ts'
import { modelListPage } from '../../views/versions/list.ts'
import { modelPage } from '../../views/versions/show.ts'
import { history } from './history-samples.ts'
import * as sample from './samples.ts'

const { frame, choices, examples, limits } = sample

export const problem: ProblemProps = {
  status: 409,
  title: 'The package differs from its manifest',
  detail: 'models/tiny-cnn.onnx is not the file that was registered; import the package again.',
  code: 'hash-mismatch',
}

export const predictionProps = {
  prediction: sample.prediction(),
  condition: sample.pneumonia,
  version: sample.version(),
  feedback: sample.feedback,
  imageAvailable: true,
}

export const predictionListProps = {
  frame,
  items: [sample.prediction(), sample.negative],
  nextCursor: 'next',
  filter: { condition: 'pneumonia' },
  conditions: [sample.pneumonia, sample.skin],
}

export const modelListProps = {
  frame,
  items: [sample.version(), sample.older],
  nextCursor: 'next',
  total: 2,
  filter: { sort: 'accuracy', order: 'desc', q: 'tiny' },
  conditions: [sample.pneumonia, sample.skin],
  architectures: ['tiny_cnn'],
}

export const conditionProps: ConditionPageProps = {
  frame,
  condition: sample.pneumonia,
  active: sample.version(),
  previous: sample.older,
  versions: [sample.version(), sample.older],
  history: history,
  nextCursor: null,
  host: sample.host,
}

export const statusProps = {
  frame,
  readiness: { ready: false, reasons: ['pneumonia is loading'] },
  hosts: [sample.host],
  counts: [{ label: 'Predictions', value: 12 }],
  system: [{ label: 'Processor', value: '2 cores' }],
  at: '2026-11-20T18:47:03.123Z',
}

const openapi = {
  openapi: '3.1.0',
  info: { title: 'Roentgen', description: 'What the server does.' },
  paths: {
    '/api/v1/conditions/{id}': {
      get: {
        tags: ['Conditions'],
        summary: 'One condition',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { $ref: '#/components/schemas/Id' } },
        ],
        responses: { 200: { description: 'the condition', content: { 'application/json': {} } } },
      },
    },
    '/api/v1/predict': {
      post: {
        summary: 'One image through one version',
        requestBody: {
          content: {
            'multipart/form-data': {
              schema: {
                type: 'object',
                required: ['image'],
                properties: {
                  image: { type: 'string', format: 'binary', description: 'the image' },
                  explain: { enum: ['gradcam', 'none'] },
                },
              },
            },
          },
        },
        responses: { 200: { description: 'a prediction' } },
      },
    },
  },
  components: { schemas: { Id: { type: 'string' } } },
}

export const PAGES: Readonly<Record<string, Html>> = {
  diagnose: diagnosePage({ frame, choices, chosen: {}, examples, limits }),
  'diagnose with a problem': diagnosePage({
    frame,
    choices,
    chosen: { condition: 'pneumonia' },
    examples,
    limits,
    problem,
  }),
  'diagnose without conditions': diagnosePage({
    frame,
    choices: [],
    chosen: {},
    examples: [],
    limits,
  }),
  'compare form': comparePage({
    frame,
    choices,
    chosen: { prediction: sample.prediction() },
    examples,
    limits,
  }),
  comparison: comparePage({
    frame,
    choices,
    chosen: {},
    examples,
    limits,
    result: sample.comparison,
  }),
  prediction: predictionPage({ frame, ...predictionProps }),
  'prediction whose image and version are gone': predictionPage({
    frame,
    ...predictionProps,
    prediction: sample.prediction({ heatmap: null, activation: null }),
    version: undefined,
    condition: undefined,
    imageAvailable: false,
  }),
  predictions: predictionListPage(predictionListProps),
  'no predictions': predictionListPage({ ...predictionListProps, items: [], nextCursor: null }),
  models: modelListPage(modelListProps),
  'no models': modelListPage({ ...modelListProps, items: [], nextCursor: null, total: 0, problem }),
  model: modelPage({
    frame,
    version: sample.version(),
    condition: sample.pneumonia,
    siblings: [sample.older],
    activations: history,
  }),
  'unevaluated model': modelPage({
    frame,
    version: sample.older,
    condition: sample.pneumonia,
    siblings: [sample.version()],
    activations: [],
    problem,
  }),
  conditions: conditionListPage({ frame, choices }),
  condition: conditionPage(conditionProps),
  'condition without versions': conditionPage({
    ...conditionProps,
    condition: { ...sample.pneumonia, active: null },
    active: undefined,
    previous: undefined,
    versions: [],
    history: [],
  }),
  'damaged condition, asked for a time': conditionPage({
    ...conditionProps,
    condition: sample.skin,
    problem,
    at: { time: '2026-11-20T18:47:03Z', activation: null },
  }),
  status: statusPage(statusProps),
  notifications: notificationsPage({
    frame,
    hasMail: true,
    targets: [
      {
        id: 'nt_1',
        kind: 'webhook',
        name: 'Lab <b>',
        address: 'https://example.org/hook',
        events: ['run.finished', 'run.failed'],
        enabled: true,
        createdAt: '2026-03-03T14:05:00.000Z',
        by: 'person',
      },
    ],
    deliveries: [
      {
        id: 'nd_1',
        target: 'nt_1',
        event: 'run.failed',
        subject: 'run-1',
        message: {
          event: 'run.failed',
          title: 'Training failed: tiny_cnn on <chest>',
          text: 'The dataset is gone.',
          facts: [],
          path: '/training/run-1',
          at: '2026-03-03T14:05:00.000Z',
        },
        state: 'waiting',
        attempts: 1,
        nextAt: '2026-03-03T14:06:00.000Z',
        detail: 'Answered 503.',
        createdAt: '2026-03-03T14:05:00.000Z',
        endedAt: null,
      },
    ],
    made: { name: 'Lab', secret: 'f'.repeat(64) },
    problem,
  }),
  api: apiDocsPage({ frame, openapi }),
  error: errorPage({ frame, problem }),
}
