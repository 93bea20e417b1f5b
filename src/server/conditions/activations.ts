// /api/v1/conditions/:id/{activate,rollback,challenger,history}: which version answers, and what did before.

import { Hono } from 'hono'
import { challengeEvidence } from '../../app/conditions/challenge-evidence.ts'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { activateVersion } from '../../registry/activation/activate.ts'
import { listHistory } from '../../registry/activation/activations.ts'
import { rollbackCondition } from '../../registry/activation/rollback.ts'
import { setChallenger } from '../../registry/challenger/challenger.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { versionOfCondition } from '../../registry/versions/aliases.ts'
import type { AppEnv } from '../http/app-env.ts'
import { conditionOfParams } from '../http/requests.ts'
import { json, operation } from '../operations/operation.ts'
import { ConditionParams } from '../operations/shared-schemas.ts'
import {
  ActivateSchema,
  ActivationSchema,
  ChallengerSchema,
  ConditionSchema,
  EvidenceSchema,
  HistoryQuery,
  HistorySchema,
  RollbackSchema,
} from './schema.ts'

const tag = 'activation'
const shared = { tag, params: ConditionParams }

export function activationRoutes(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'store'> & { readonly shadow: Shadow },
): Hono<AppEnv> {
  const { db } = services
  const named = (condition: string, text: string) => versionOfCondition(db, { condition, text })
  const conditionOf = (params: { id: string }) => getCondition(db, conditionOfParams(params))
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      ...shared,
      method: 'post',
      path: '/api/v1/conditions/:id/activate',
      summary: 'Make a version active',
      description:
        'Sent once requests are answered by it. Already active: 200 with the line under which it answers.',
      json: ActivateSchema,
      answers: { 200: json(ActivationSchema, 'It answers') },
      errors: [
        [404, 'unknown-condition, unknown-version'],
        [
          409,
          'state-changed, hash-mismatch, golden-mismatch, load-failed; gate, unevaluated (these two can be forced)',
        ],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body: { version, ...rest }, reply }) => {
      const condition = await conditionOf(params)
      const ref = await named(condition.id, version)
      const request = { condition: condition.id, version: ref, ...rest, ...c.var.actor }
      return reply(200, (await activateVersion(services, request)).activation)
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'post',
      path: '/api/v1/conditions/:id/rollback',
      summary: 'Go back to the version before, or to a named one',
      json: RollbackSchema,
      answers: { 200: json(ActivationSchema, 'It answers') },
      errors: [
        [404, 'unknown-condition, unknown-version'],
        [
          409,
          'never-active, nothing-to-roll-back, state-changed, hash-mismatch, golden-mismatch, load-failed',
        ],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body: { to, ...rest }, reply }) => {
      const condition = await conditionOf(params)
      const ref = to && (await named(condition.id, to))
      const request = { condition: condition.id, to: ref || undefined, ...rest, ...c.var.actor }
      return reply(200, (await rollbackCondition(services, request)).activation)
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'post',
      path: '/api/v1/conditions/:id/challenger',
      summary: 'Set or end the challenger of a condition',
      description:
        'shadow: predicts on what the active version has answered, in the background, and never answers. split: answers a ' +
        'share of the requests, the same image always by the same version. It passes the gate first. {"version": null} ends it.',
      json: ChallengerSchema,
      answers: { 200: json(ConditionSchema, 'The condition') },
      errors: [
        [404, 'unknown-condition, unknown-version'],
        [
          409,
          'state-changed, conflict, no-active-version, unevaluated, hash-mismatch, golden-mismatch, load-failed',
        ],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body: { version, mode, share, expected }, reply }) => {
      const condition = await conditionOf(params)
      if (version !== null && mode === undefined) {
        throw new AppError('invalid', '"mode" must be "shadow" or "split".', {
          extra: { field: 'mode' },
        })
      }
      const challenger =
        version === null || mode === undefined
          ? null
          : { version: await named(condition.id, version), mode, share }
      const request = { condition: condition.id, challenger, expected, actor: c.var.actor }
      return reply(200, await setChallenger(services, request))
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/conditions/:id/challenger',
      summary: 'What the challenge has shown so far, against the version that answers now',
      answers: { 200: json(EvidenceSchema, 'The evidence') },
      errors: [[404, 'unknown-condition; not-found: it has no challenger']],
    },
    async ({ params, reply }) =>
      reply(200, await challengeEvidence(services, await conditionOf(params))),
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/conditions/:id/history',
      summary: 'What answered when, who changed it and why, newest first',
      query: HistoryQuery,
      answers: { 200: json(HistorySchema, 'A page') },
      errors: [
        [404, 'unknown-condition'],
        [422, 'invalid'],
      ],
    },
    async ({ params, query, reply }) => {
      const { id } = await conditionOf(params)
      return reply(200, await listHistory(db, { condition: id, ...query }))
    },
  )
  return routes
}
