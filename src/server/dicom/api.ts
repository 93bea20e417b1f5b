// Images from an archive for programs: STOW-RS at /dicomweb/studies, what became of them, and which condition reads what.

import { type Context, Hono } from 'hono'
import type { Archive } from '../../app/dicom/archive/archive.ts'
import { archiveStatus } from '../../app/dicom/archive/archive-status.ts'
import { boundaryOf, readParts } from '../../app/dicom/archive/multipart-related.ts'
import { type StoreOutcome, storeAnswer } from '../../app/dicom/archive/store-answer.ts'
import { suggestedRule } from '../../app/dicom/archive/suggested-rule.ts'
import { asAppError } from '../../app/problem.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { patchArchiveRule } from '../../registry/archive/archive-rules.ts'
import type { AppEnv } from '../http/app-env.ts'
import { bodyOf } from '../http/request-body.ts'
import { conditionOfParams } from '../http/requests.ts'
import { findUploadScope } from '../http/upload-scope.ts'
import { json, operation } from '../operations/operation.ts'
import { ConditionParams } from '../operations/shared-schemas.ts'
import {
  ArchiveRulePatchSchema,
  ArchiveRuleSchema,
  ArchiveStatusSchema,
  StoreAnswerSchema,
  StudyParams,
} from './schema.ts'

/** Objects of one request. */
const MAX_OBJECTS = 2000

const tag = 'archive'
const DICOM_JSON = 'application/dicom+json'
const STORED = (description: string) => ({
  description,
  type: DICOM_JSON,
  schema: StoreAnswerSchema,
})
const STORE = {
  method: 'post',
  tag,
  description: 'An object that cannot be taken costs only itself; the answer says why.',
  bodyType: 'multipart/related',
  answers: {
    200: STORED('All were taken'),
    202: STORED('Some were taken'),
    409: STORED('None was taken'),
  },
  errors: [
    [404, 'not-found: receiving is off (ROENTGEN_DICOM_STOW)'],
    [413, 'upload-too-large'],
    [415, 'unsupported-image: not multipart/related'],
    [422, 'image-required, invalid'],
  ],
} as const

export function archiveRoutes(
  services: Uses<'clock' | 'config' | 'db' | 'log'> & { readonly archive: Archive },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/archive',
      tag,
      summary: 'Images that came from an archive and what became of them, newest first',
      answers: { 200: json(ArchiveStatusSchema, 'What goes on') },
    },
    async ({ reply }) => reply(200, await archiveStatus(services)),
  )
  operation(
    routes,
    {
      method: 'patch',
      path: '/api/v1/archive/rules/:id',
      tag,
      summary: 'Which images from an archive a condition reads by itself',
      description: 'What is absent stays as it is.',
      params: ConditionParams,
      json: ArchiveRulePatchSchema,
      answers: { 200: json(ArchiveRuleSchema, 'The rule') },
      errors: [
        [404, 'unknown-condition'],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body: patch, reply }) => {
      const rule = await patchArchiveRule(services.db, {
        condition: conditionOfParams(params),
        patch,
        suggested: suggestedRule,
        actor: c.var.actor,
        clock: services.clock,
      })
      return reply(200, rule)
    },
  )
  operation(
    routes,
    { ...STORE, path: '/dicomweb/studies', summary: 'Send DICOM images to be read (STOW-RS)' },
    ({ c }) => store(c, undefined),
  )
  operation(
    routes,
    {
      ...STORE,
      path: '/dicomweb/studies/:study',
      summary: 'The same; an object of another study is refused',
      params: StudyParams,
    },
    ({ c, params: { study } }) => store(c, study),
  )
  return routes

  async function store(c: Context<AppEnv>, study: string | undefined): Promise<Response> {
    if (!services.config.dicom.stow) {
      throw new AppError(
        'not-found',
        'Receiving DICOM images is off; set ROENTGEN_DICOM_STOW=1 to enable it.',
      )
    }
    const { body, signal } = c.req.raw
    const boundary = boundaryOf(c.req.header('content-type') ?? '')
    if (!boundary || !body) {
      throw new AppError(
        'unsupported-image',
        'Send DICOM objects as multipart/related; type="application/dicom".',
      )
    }
    const outcomes: StoreOutcome[] = []
    const maxPartBytes = services.config.maxUploadBytes
    const place = findUploadScope(c.req.raw)
    const parts = { boundary, maxPartBytes, place, signal }
    for await (const part of readParts(bodyOf(c.req.raw), parts)) {
      if (outcomes.length === MAX_OBJECTS) {
        throw new AppError('invalid', `At most ${MAX_OBJECTS} objects may be sent at once.`)
      }
      outcomes.push(part.bytes ? await receive(part.bytes, study) : refusedAs('out-of-resources'))
    }
    if (outcomes.length === 0)
      throw new AppError('image-required', 'The request contains no objects.')
    const answer = storeAnswer(outcomes)
    c.header('Content-Type', DICOM_JSON)
    return c.body(JSON.stringify(answer.body), answer.status)
  }

  /** One object that cannot be taken costs only itself. */
  async function receive(bytes: Uint8Array, study: string | undefined): Promise<StoreOutcome> {
    try {
      const { identity } = await services.archive.receive(bytes, { study })
      return { image: identity.image }
    } catch (error) {
      const { code, status } = asAppError(error)
      if (code === 'internal') services.log.error({ err: error }, 'an object could not be taken')
      return refusedAs(status >= 500 ? 'out-of-resources' : 'not-understood')
    }
  }
}

function refusedAs(refusal: StoreOutcome['refusal'] & string): StoreOutcome {
  return { image: undefined, refusal }
}
