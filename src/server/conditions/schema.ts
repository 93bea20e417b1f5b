// What programs send and get about conditions, their activations, challengers and rules.
import { z } from 'zod'
import { ClassSchema, KindSchema, PrecisionSchema } from '../../package/schema.ts'
import { GATE_METRICS } from '../../registry/conditions/conditions.ts'
import { listOf, pageOf, paging } from '../operations/shared-schemas.ts'

const text = z.string()
const fraction = z.number().min(0).max(1)
const reason = z.string().trim().min(1, 'must say why, for the history').max(500)
const version = text.describe('condition/name@n or condition@alias').meta({
  examples: ['pneumonia/densenet121-standard@3'],
})

export const PolicySchema = z.enum(['pinned', 'follow'])

export const GateSettingSchema = z.object({
  metric: z.enum(GATE_METRICS),
  margin: fraction.describe('how much worse than the active version it may be'),
})

// What is sent ------------------------------------------------------------------------------------------------

export const NewConditionSchema = z.strictObject({
  id: text.meta({ examples: ['pneumonia'] }),
  name: z.string().trim().min(1).max(100).optional(),
  bodyPart: z.string().max(100).optional(),
  kind: KindSchema,
  classes: z.array(ClassSchema).min(1).max(1000),
  policy: PolicySchema.optional(),
  gate: GateSettingSchema.optional(),
})

const expected = z
  .string()
  .max(100)
  .nullable()
  .optional()
  .describe(
    'id of the activation that was seen, null when none was; another one by now is 409 state-changed',
  )

export const ConditionPatchSchema = z.strictObject({
  name: z.string().trim().min(1).max(100).optional(),
  bodyPart: z.string().max(100).optional(),
  classes: z.array(ClassSchema).min(1).max(1000).optional(),
  policy: PolicySchema.optional(),
  gate: GateSettingSchema.partial().optional(),
  operatingPoint: z
    .string()
    .max(64)
    .nullable()
    .optional()
    .describe('decides while no other is asked for; null: the default one of each version'),
  reason: z.string().max(500).optional().describe('why, kept with each change'),
  expected,
})

export const AliasMoveSchema = z.strictObject({
  alias: text.meta({ examples: ['champion'] }),
  version: version.nullable().describe('null takes it away'),
  reason: z.string().max(500).optional(),
})

export const WantedPrecisionSchema = z.enum(['auto', 'float32', 'int8'], {
  error: 'must be "auto", "float32" or "int8"',
})

export const ActivateSchema = z.object({
  version,
  reason,
  force: z.boolean().optional(),
  precision: WantedPrecisionSchema.optional().describe(
    'which graph of a version that has one in int8 too; auto, the default, takes the faster one',
  ),
  expected,
})

export const RollbackSchema = z.object({ to: version.optional(), reason, expected })

export const ChallengerSchema = z.object({
  version: version.nullable(),
  mode: z.enum(['shadow', 'split']).optional(),
  share: fraction.optional(),
  expected,
})

export const PromotionRuleSchema = z.strictObject({
  rule: z
    .strictObject({ minCases: z.int().min(1).max(1_000_000), margin: fraction })
    .nullable()
    .describe('null: challengers are promoted by people only'),
  reason,
})

export const HistoryQuery = z.object({
  at: text.optional().describe('a time: only the line whose version answered then'),
  ...paging,
})

// What is given -----------------------------------------------------------------------------------------------

export const ConditionSchema = z
  .object({
    id: text,
    name: text,
    bodyPart: text,
    kind: KindSchema,
    classes: z.array(ClassSchema),
    policy: PolicySchema,
    gate: z.object({ metric: z.enum(GATE_METRICS), margin: z.number() }),
    active: z
      .object({
        version: text,
        sha256: text,
        since: text,
        state: z.enum(['ok', 'damaged']),
        activation: text,
        pointer: z
          .enum(['ok', 'stale'])
          .describe('stale: active.json cannot be written and says something old'),
      })
      .nullable(),
    challenger: z
      .object({
        version: text,
        mode: z.enum(['shadow', 'split']),
        share: z.number().nullable(),
      })
      .nullable(),
    operatingPoint: text.nullable(),
    versions: z.int().describe('how many it has that are not deleted'),
  })
  .meta({ id: 'Condition' })

export const ActivationSchema = z
  .object({
    id: text,
    condition: text,
    version: text,
    sha256: text.nullable(),
    previous: text.nullable(),
    at: text,
    by: text,
    via: z.enum(['page', 'api', 'cli', 'file', 'policy']),
    reason: text,
    outcome: z.enum(['activated', 'refused']),
    steps: z.array(z.object({ name: text, ok: z.boolean(), ms: z.number(), detail: text })),
    precision: PrecisionSchema.nullable(),
  })
  .meta({ id: 'Activation' })

export const HistorySchema = pageOf(ActivationSchema)

export const McNemarSchema = z.object({
  b: z.int().describe('only a is right'),
  c: z.int().describe('only b is right'),
  method: z.enum(['exact', 'chi-square']),
  p: fraction,
  midP: fraction.nullable(),
})

const ruleShape = {
  minCases: z.int(),
  margin: z.number(),
  reason: text,
  at: text,
  by: text,
  via: text,
}

export const RuleAnswerSchema = z.object({ rule: z.object(ruleShape).nullable() })

export const EvidenceSchema = z.object({
  challenge: z.object({
    id: text,
    condition: text,
    version: text,
    sha256: text,
    mode: z.enum(['shadow', 'split']),
    share: z.number().nullable(),
    startedAt: text,
    endedAt: text.nullable(),
    by: text,
    promotion: z.object({ outcome: z.enum(['promoted', 'refused']), activation: text }).nullable(),
  }),
  active: text,
  pairs: z.int(),
  agreement: fraction.nullable(),
  kappa: z.number().nullable(),
  meanGap: fraction.nullable(),
  decisions: z.array(z.object({ a: text, b: text, n: z.int() })),
  disagreements: z.array(
    z.object({
      prediction: text,
      at: text,
      activeLabel: text,
      challengerLabel: text,
      label: text,
      activeP: z.number(),
      challengerP: z.number(),
      truth: text.nullable(),
    }),
  ),
  disagreementCount: z.int(),
  truth: z.object({
    n: z.int(),
    activeRight: z.int(),
    challengerRight: z.int(),
    accuracyDifference: z.number().nullable(),
    mcnemar: McNemarSchema,
  }),
  arms: z
    .array(
      z.object({
        version: text,
        role: z.enum(['active', 'challenger']),
        predictions: z.int(),
        agree: z.int(),
        disagree: z.int(),
        unsure: z.int(),
      }),
    )
    .nullable(),
  rule: z
    .object({
      ...ruleShape,
      cases: z.int(),
      difference: z.object({ seen: z.number(), lower: z.number() }).nullable(),
      isMet: z.boolean(),
      detail: text,
    })
    .nullable()
    .describe('the rule of the condition and what it says of this evidence; null without one'),
  droppedSinceStart: z.int().describe('images that the challenger could not predict in time'),
})

export const AliasesSchema = listOf(z.object({ alias: text, version: text }))

export const ChangesSchema = listOf(
  z.object({
    field: text,
    value: z.unknown(),
    at: text,
    by: text,
    via: text,
    reason: text.nullable(),
  }),
)

export const VotesSchema = listOf(
  z.object({
    a: text,
    b: text,
    votes: z.int(),
    preferred: z.object({ a: z.int(), b: z.int(), alike: z.int(), neither: z.int() }),
    sure: z.int().describe('votes whose reader was sure what the image shows'),
    aRight: z.int(),
    bRight: z.int(),
    mcnemar: McNemarSchema,
  }),
)

export const ConditionListSchema = z.array(ConditionSchema)
