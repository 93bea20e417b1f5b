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
import { conditionOfPath, readJson } from '../http/requests.ts'
import { findUploadScope } from '../http/upload-scope.ts'
import { ArchiveRulePatchSchema } from './schema.ts'

/** Objects of one request. */
const MAX_OBJECTS = 2000

export function archiveRoutes(
  services: Uses<'clock' | 'config' | 'db' | 'log'> & { readonly archive: Archive },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/archive', async (c) => c.json(await archiveStatus(services)))
  routes.patch('/api/v1/archive/rules/:id', async (c) => {
    const patch = await readJson(c, ArchiveRulePatchSchema)
    const rule = await patchArchiveRule(services.db, {
      condition: conditionOfPath(c),
      patch,
      suggested: suggestedRule,
      actor: c.var.actor,
      clock: services.clock,
    })
    return c.json(rule)
  })
  routes.post('/dicomweb/studies', store)
  routes.post('/dicomweb/studies/:study', store)
  return routes

  async function store(c: Context<AppEnv>): Promise<Response> {
    if (!services.config.dicom.stow) {
      throw new AppError(
        'not-found',
        'Receiving DICOM images is off; ROENTGEN_DICOM_STOW=1 turns it on.',
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
    const study = c.req.param('study')
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
    if (outcomes.length === 0) throw new AppError('image-required', 'The request holds no objects.')
    const answer = storeAnswer(outcomes)
    c.header('Content-Type', 'application/dicom+json')
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
