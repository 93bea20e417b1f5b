// The addresses of what people decide beside activations: aliases, the rule of promotion, changes of settings.
import { z } from 'zod'
import * as schemas from '../http/api-schemas.ts'
import { json, type Operation } from './openapi-operation.ts'

const RuleAnswer = z.object({
  rule: z
    .looseObject({ minCases: z.int(), margin: z.number(), reason: z.string(), by: z.string() })
    .nullable(),
})

const VotesAnswer = z.object({
  items: z.array(
    z.looseObject({
      a: z.string(),
      b: z.string(),
      votes: z.int(),
      preferred: z.record(z.string(), z.int()),
      mcnemar: schemas.McNemarSchema,
    }),
  ),
})

export const GOVERNANCE: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/conditions/{id}/aliases',
    tag: 'conditions',
    summary: 'Names that point at versions',
    description: 'condition@alias stands wherever a body, a query or a form names a version.',
    answers: { 200: json(schemas.AliasesSchema, 'In the order of their names') },
    errors: [['404', 'unknown-condition']],
  },
  {
    method: 'post',
    path: '/api/v1/conditions/{id}/aliases',
    tag: 'conditions',
    summary: 'Point an alias at a verified version; {"version": null} takes it away',
    json: schemas.AliasMoveSchema,
    answers: { 200: json(schemas.AliasesSchema, 'As they are now') },
    errors: [
      ['404', 'unknown-condition, unknown-version'],
      ['409', 'conflict, unevaluated: the version is not verified'],
      ['422', 'invalid'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/conditions/{id}/promotion-rule',
    tag: 'activation',
    summary: 'The rule by which a challenger is promoted',
    answers: { 200: json(RuleAnswer, 'The rule in force, or null') },
    errors: [['404', 'unknown-condition']],
  },
  {
    method: 'post',
    path: '/api/v1/conditions/{id}/promotion-rule',
    tag: 'activation',
    summary: 'Set or end the rule by which a challenger is promoted',
    description:
      'From minCases with a reader’s word on, when the lower end of the 95% interval of the difference of the fractions ' +
      'right is not below -margin. The promotion passes the whole gate, as policy, with the evidence as its first step.',
    json: schemas.PromotionRuleSchema,
    answers: { 200: json(RuleAnswer, 'The rule in force, or null') },
    errors: [
      ['404', 'unknown-condition'],
      ['422', 'invalid'],
    ],
  },
  {
    method: 'get',
    path: '/api/v1/conditions/{id}/votes',
    tag: 'conditions',
    summary: 'How readers voted in blinded readings, for each pair of versions',
    answers: { 200: json(VotesAnswer, 'Most votes first') },
    errors: [['404', 'unknown-condition']],
  },
  {
    method: 'get',
    path: '/api/v1/conditions/{id}/changes',
    tag: 'conditions',
    summary: 'What was changed about a condition, by whom and why, newest first',
    answers: { 200: json(schemas.ChangesSchema, 'At most 200') },
    errors: [['404', 'unknown-condition']],
  },
]
