// The addresses of conditions, activations and versions, in words.
import { z } from 'zod'
import { AbSchema, RereadSchema } from '../comparisons/api.ts'
import * as schemas from '../http/api-schemas.ts'
import { json, type Operation, paging } from './openapi-operation.ts'

export const CONDITIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/conditions',
    tag: 'conditions',
    summary: 'All conditions',
    answers: { 200: json(z.array(schemas.ConditionSchema), 'In the order of their names') },
  },
  {
    method: 'post',
    path: '/api/v1/conditions',
    tag: 'conditions',
    summary: 'Add a condition',
    json: schemas.NewConditionSchema,
    answers: { 201: json(schemas.ConditionSchema, 'Added') },
    errors: [
      ['409', 'conflict: the id is taken'],
      ['422', 'invalid'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/conditions/{id}',
    tag: 'conditions',
    summary: 'One condition',
    answers: { 200: json(schemas.ConditionSchema, 'The condition') },
    errors: [['404', 'unknown-condition']],
  },
  {
    method: 'patch',
    path: '/api/v1/conditions/{id}',
    tag: 'conditions',
    summary:
      'Change name, body part, policy, gate or operating point; classes while it has no version',
    json: schemas.ConditionPatchSchema,
    answers: { 200: json(schemas.ConditionSchema, 'As it is now') },
    errors: [
      ['404', 'unknown-condition'],
      ['409', 'conflict, state-changed'],
      ['422', 'unknown-operating-point'],
    ],
  },
  {
    method: 'post',
    path: '/api/v1/conditions/{id}/activate',
    tag: 'activation',
    summary: 'Let a version answer',
    description:
      'Sent once requests are answered by it. Already active: 200 with the line under which it answers.',
    json: schemas.ActivateSchema,
    answers: { 200: json(schemas.ActivationSchema, 'It answers') },
    errors: [
      ['404', 'unknown-condition, unknown-version'],
      [
        '409',
        'state-changed, hash-mismatch, golden-mismatch, load-failed; gate, unevaluated (these two can be forced)',
      ],
    ],
  },
  {
    method: 'post',
    path: '/api/v1/conditions/{id}/rollback',
    tag: 'activation',
    summary: 'Go back to the version before, or to a named one',
    json: schemas.RollbackSchema,
    answers: { 200: json(schemas.ActivationSchema, 'It answers') },
    errors: [
      [
        '409',
        'never-active, nothing-to-roll-back, state-changed, hash-mismatch, golden-mismatch, load-failed',
      ],
    ],
  },
  {
    method: 'post',
    path: '/api/v1/conditions/{id}/challenger',
    tag: 'activation',
    summary: 'Set or end the challenger of a condition',
    description:
      'shadow: reads what the active version has answered, in the background, and never answers. split: answers a share ' +
      'of the requests, the same image always by the same version. It passes the gate first. {"version": null} ends it.',
    json: schemas.ChallengerSchema,
    answers: { 200: json(schemas.ConditionSchema, 'The condition') },
    errors: [
      ['404', 'unknown-condition, unknown-version'],
      [
        '409',
        'state-changed, conflict, no-active-version, unevaluated, hash-mismatch, golden-mismatch, load-failed',
      ],
      ['422', 'invalid'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/conditions/{id}/challenger',
    tag: 'activation',
    summary: 'What the challenge has shown so far, against the version that answers now',
    answers: { 200: json(schemas.EvidenceSchema, 'The evidence') },
    errors: [['404', 'unknown-condition; not-found: it has no challenger']],
  },
  {
    method: 'post',
    path: '/api/v1/conditions/{id}/ab',
    tag: 'reading',
    summary:
      'Read a folder below the data root with two versions: a line an image, the summary last',
    json: AbSchema,
    answers: { 200: { description: 'Lines of JSON', type: 'application/x-ndjson' } },
    errors: [['404', 'unknown-condition, unknown-version']],
  },
  {
    method: 'post',
    path: '/api/v1/versions/{condition}/{name}/{n}/reread',
    tag: 'reading',
    summary:
      'Read what this version read before with another one: a line an image, the summary last',
    json: RereadSchema,
    answers: { 200: { description: 'Lines of JSON', type: 'application/x-ndjson' } },
    errors: [['404', 'unknown-version']],
  },
  {
    method: 'get',
    path: '/api/v1/conditions/{id}/history',
    tag: 'activation',
    summary: 'What answered when, by whose hand and why, newest first',
    query: { at: 'a time: only the line whose version answered then', ...paging },
    answers: { 200: json(schemas.pageOf(schemas.ActivationSchema), 'A page') },
  },
]

export const VERSIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/versions',
    tag: 'versions',
    summary: 'Search, filter and sort versions',
    query: {
      condition: 'id of a condition',
      architecture: 'name of an architecture',
      status: 'verified, unevaluated, quarantined or deleted',
      tag: 'has this tag',
      minAccuracy: 'fraction 0 to 1',
      from: 'made at or after',
      to: 'made at or before',
      q: 'words in id, architecture, tags or notes',
      sort: 'createdAt (default), accuracy, balancedAccuracy, auc, sensitivity, specificity, f1, size, name …',
      order: 'asc or desc',
      ...paging,
    },
    answers: { 200: json(schemas.pageOf(schemas.VersionSchema), 'A page, with the total') },
  },
  {
    method: 'get',
    path: '/api/v1/versions/{condition}/{name}/{n}',
    tag: 'versions',
    summary: 'One version whole',
    answers: { 200: json(schemas.VersionSchema, 'The version') },
    errors: [['404', 'unknown-version']],
  },
  {
    method: 'patch',
    path: '/api/v1/versions/{condition}/{name}/{n}',
    tag: 'versions',
    summary: 'Change notes and tags',
    json: schemas.VersionPatchSchema,
    answers: { 200: json(schemas.VersionSchema, 'As it is now') },
  },
  {
    method: 'delete',
    path: '/api/v1/versions/{condition}/{name}/{n}',
    tag: 'versions',
    summary: 'Move a version to the bin',
    answers: { 200: json(schemas.VersionSchema, 'Deleted') },
    errors: [['409', 'conflict: it answers now']],
  },
  {
    method: 'post',
    path: '/api/v1/versions/{condition}/{name}/{n}/undelete',
    tag: 'versions',
    summary: 'Put a deleted version back from the bin',
    answers: { 200: json(schemas.VersionSchema, 'As it is now; hashed first') },
    errors: [
      ['409', 'conflict: it is not deleted, or the same package was registered again'],
      ['410', 'gone: the bin was emptied'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/versions/{condition}/{name}/{n}/export',
    tag: 'versions',
    summary: 'The package as one .roentgen.zip',
    answers: { 200: { description: 'The zip', type: 'application/zip' } },
    errors: [['409', 'hash-mismatch']],
  },
  {
    method: 'post',
    path: '/api/v1/versions/import',
    tag: 'versions',
    summary: 'Import a package or a foreign model',
    description:
      'A .roentgen.zip needs no further fields. An .onnx file, or a TF.js model (model.json with its weight files, ' +
      'zipped), needs condition, name, classes and preprocessing. It never becomes active by itself unless the condition follows.',
    form: {
      package: {
        description: '.roentgen.zip, .onnx, or a zipped TF.js model',
        kind: 'file',
        required: true,
      },
      condition: { description: 'id; made when it is not there' },
      name: { description: 'name of the version' },
      classes: {
        description:
          'JSON array, or labels divided by commas, in the order of the outputs; * marks findings',
      },
      preprocessing: {
        description: 'JSON of a preprocessing, or its scaling only: tf, torch, caffe, unit or raw',
      },
      architecture: { description: 'what to call its architecture' },
      kind: { description: 'binary, single-label or multi-label, where the condition is new' },
    },
    answers: {
      201: json(schemas.VersionSchema, 'Registered'),
      200: json(schemas.VersionSchema, 'It was there already'),
    },
    errors: [
      ['409', 'hash-mismatch, conflict'],
      ['413', 'upload-too-large'],
      ['422', 'invalid-package, invalid'],
    ],
  },
]
