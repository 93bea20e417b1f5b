// The addresses of datasets and training runs, in words.
import { z } from 'zod'
import { pageOf } from '../http/api-schemas.ts'
import * as schemas from '../runs/schema.ts'
import { json, type Operation, paging } from './openapi-operation.ts'

const run = json(schemas.RunSchema, 'The run as it is now')
const wrongState: [string, string][] = [
  ['404', 'unknown-run'],
  ['409', 'conflict: not in this state'],
]

function wish(name: string, summary: string): Operation {
  const path = `/api/v1/runs/{id}/${name}`
  return {
    method: 'post',
    path,
    tag: 'training',
    summary,
    answers: { 200: run },
    errors: wrongState,
  }
}

export const TRAINING: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/v1/runs',
    tag: 'training',
    summary: 'Queue a training, or with lists a matrix of them',
    description:
      'Any of dataset, architecture and preset as a list is a matrix and answers {runs: [Run], set}, else the answer is the Run. ' +
      'Without a condition each dataset trains for the one that it was prepared for.',
    json: schemas.NewRunSchema,
    answers: {
      202: json(z.union([schemas.RunSchema, schemas.RunsSchema]), 'Queued'),
    },
    errors: [
      ['404', 'unknown-condition, unknown-dataset, unknown-version'],
      ['409', 'dataset-not-prepared'],
      ['422', 'invalid'],
      ['503', 'unavailable: not enough disk or memory'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/runs',
    tag: 'training',
    summary: 'Runs, newest first',
    query: {
      state: 'only in this state',
      condition: 'id of a condition',
      set: 'id of a matrix',
      ...paging,
    },
    answers: { 200: json(pageOf(schemas.RunSchema), 'A page') },
  },
  {
    method: 'get',
    path: '/api/v1/run-sets/{id}',
    tag: 'training',
    summary: 'A matrix of runs: how far, how long it will take, seconds of each phase',
    answers: { 200: json(schemas.RunSetSchema, 'In the order of the queue') },
    errors: [['404', 'unknown-run']],
  },
  {
    method: 'get',
    path: '/api/v1/runs/{id}',
    tag: 'training',
    summary: 'One run: state, reason, progress, resulting version',
    answers: { 200: run },
    errors: [['404', 'unknown-run']],
  },
  {
    method: 'get',
    path: '/api/v1/runs/{id}/events',
    tag: 'training',
    summary: 'Server-sent events: state, epoch, batch, log',
    description:
      'Sends what happened so far, then what comes, and ends with the run. With Last-Event-ID it goes on behind that ' +
      'event, after a restart of the server too; batches are only sent while they happen. 204 when nothing is left.',
    answers: {
      200: { description: 'The events', type: 'text/event-stream' },
      204: { description: 'The run has ended and every event was seen' },
    },
    errors: [['404', 'unknown-run']],
  },
  wish('pause', 'Wait after the running batch; hold back a run that is queued'),
  wish('resume', 'Go on: at once when paused, from the last checkpoint when interrupted'),
  wish('stop', 'End after the running batch and keep the best epoch as a version'),
  wish('cancel', 'End now and keep nothing'),
]
