// What the OpenAPI document says about jobs.
import { z } from 'zod'
import { JobSchema } from '../jobs/schema.ts'
import { json, type Operation, paging } from './openapi-operation.ts'

const ONE = '/api/v1/jobs/{id}'

export const JOBS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/jobs',
    tag: 'jobs',
    summary: 'Work in the background of every kind, newest first',
    query: { kind: 'only of this kind', state: 'only in this state', ...paging },
    answers: {
      200: json(
        z.object({ items: z.array(JobSchema), nextCursor: z.string().nullable() }),
        'A page of jobs',
      ),
    },
    errors: [['422', 'invalid']],
  },
  {
    method: 'get',
    path: ONE,
    tag: 'jobs',
    summary: 'One job as it is now',
    answers: { 200: json(JobSchema, 'The job') },
    errors: [['404', 'unknown-job']],
  },
  {
    method: 'get',
    path: `${ONE}/events`,
    tag: 'jobs',
    summary: 'Its events as they happen',
    description:
      'Server-sent events `state` and `log`, and what the kind adds, each with an id for Last-Event-ID: what was kept ' +
      'since comes first, none twice and none lost. `progress` is sent as it changes and is not kept. 204 when the job ' +
      'has ended and all was seen.',
    answers: {
      200: { description: 'Server-sent events', type: 'text/event-stream' },
      204: { description: 'All was seen' },
    },
    errors: [['404', 'unknown-job']],
  },
  {
    method: 'post',
    path: `${ONE}/cancel`,
    tag: 'jobs',
    summary: 'End it now; what it had kept stays',
    answers: { 200: json(JobSchema, 'The job, cancelled') },
    errors: [
      ['404', 'unknown-job'],
      ['409', 'conflict'],
    ],
  },
]
