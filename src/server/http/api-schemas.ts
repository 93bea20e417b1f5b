// The shapes that the API takes and gives, as zod: bodies are checked against them, openapi.ts describes them, and tests
// hold real answers against them. The words are those of the contract; the rows behind them belong to the registry.

import { z } from 'zod'
import { ClassSchema, KindSchema, PrecisionSchema } from '../../package/schema.ts'
import { VERSION_STATUSES } from '../../registry/schema/states.ts'

const text = z.string()
const number = z.number()
const fraction = z.number().min(0).max(1)
const label = z.string().min(1).max(100)
const reason = z.string().trim().min(1, 'a reason is required').max(500)

export const PolicySchema = z.enum(['pinned', 'follow'])
export const GateSettingSchema = z.object({
  metric: z.enum(['accuracy', 'balancedAccuracy', 'auc', 'sensitivity', 'specificity', 'f1']),
  /** How much worse than the active version it may be. */
  margin: fraction,
})

// What is sent ------------------------------------------------------------------------------------------------

export const NewConditionSchema = z.strictObject({
  id: z.string(),
  name: z.string().trim().min(1).max(100).optional(),
  bodyPart: z.string().max(100).optional(),
  kind: KindSchema,
  classes: z.array(ClassSchema).min(1).max(1000),
  policy: PolicySchema.optional(),
  gate: GateSettingSchema.optional(),
})

/** Id of the activation that the caller saw, or null when nothing answered; another one by now is 409 `state-changed`. */
const expected = z.string().max(100).nullable().optional()

export const ConditionPatchSchema = z.strictObject({
  name: z.string().trim().min(1).max(100).optional(),
  bodyPart: z.string().max(100).optional(),
  classes: z.array(ClassSchema).min(1).max(1000).optional(),
  policy: PolicySchema.optional(),
  gate: GateSettingSchema.partial().optional(),
  /** The operating point that decides while nobody asks for another; null: each version's own default. */
  operatingPoint: z.string().max(64).nullable().optional(),
  /** Why, kept with each change. */
  reason: z.string().max(500).optional(),
  expected,
})

export const AliasMoveSchema = z.strictObject({
  alias: text,
  /** null takes it away. */
  version: text.nullable(),
  reason: z.string().max(500).optional(),
})

export const WantedPrecisionSchema = z.enum(['auto', 'float32', 'int8'], {
  error: 'must be "auto", "float32" or "int8"',
})

export const ActivateSchema = z.object({
  version: text,
  reason,
  force: z.boolean().optional(),
  /** Which graph of a version that has one in int8 too; `auto`, the default, takes the faster one. */
  precision: WantedPrecisionSchema.optional(),
  expected,
})

export const RollbackSchema = z.object({ to: text.optional(), reason, expected })

export const ChallengerSchema = z.object({
  version: text.nullable(),
  mode: z.enum(['shadow', 'split']).optional(),
  share: fraction.optional(),
  expected,
})

export const PromotionRuleSchema = z.strictObject({
  /** null: challengers are promoted by people only. */
  rule: z.strictObject({ minCases: z.int().min(1).max(1_000_000), margin: fraction }).nullable(),
  reason,
})

export const VersionPatchSchema = z.strictObject({
  notes: z.string().max(20_000).optional(),
  tags: z.array(z.string().trim().min(1).max(64)).max(50).optional(),
})

export const FeedbackBodySchema = z.object({
  verdict: z.enum(['agree', 'disagree', 'unsure']),
  label: label.nullish(),
  comment: z.string().max(5000).nullish(),
})

// What is given -----------------------------------------------------------------------------------------------

export const ProblemSchema = z.looseObject({
  type: text,
  title: text,
  status: z.int(),
  detail: text,
  code: text,
})

export const ConditionSchema = z.looseObject({
  id: text,
  name: text,
  bodyPart: text,
  kind: KindSchema,
  classes: z.array(ClassSchema),
  policy: PolicySchema,
  gate: z.object({ metric: text, margin: number }),
  active: z
    .looseObject({
      version: text,
      sha256: text,
      since: text,
      state: z.enum(['ok', 'damaged']),
      /** `stale`: active.json cannot be written and says something old. */
      pointer: z.enum(['ok', 'stale']),
    })
    .nullable(),
  challenger: z.looseObject({ version: text, mode: text, share: number.nullable() }).nullable(),
})

export const ActivationSchema = z.looseObject({
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
  steps: z.array(z.object({ name: text, ok: z.boolean(), ms: number, detail: text })),
  /** Of the graph active from then on; null of a refused line where it was not decided. */
  precision: PrecisionSchema.nullable(),
})

export const VersionSchema = z.looseObject({
  id: text,
  condition: text,
  name: text,
  n: z.int().min(1),
  sha256: text,
  architecture: text,
  status: z.enum(VERSION_STATUSES),
  createdAt: text,
  metrics: z.looseObject({}).nullable(),
  calibration: z.looseObject({}).nullable(),
  operatingPoints: z.array(z.looseObject({ name: text })),
  files: z.array(z.looseObject({ path: text, size: z.int(), sha256: text })),
  lineage: z.looseObject({}),
  tags: z.array(text),
})

export const PredictionSchema = z.looseObject({
  id: text,
  condition: text,
  version: text,
  sha256: text,
  role: z.enum(['active', 'challenger', 'requested']),
  classes: z.array(
    z.object({ label, probability: fraction, uncalibrated: fraction, logit: number.nullable() }),
  ),
  decision: z.object({
    label,
    positive: z.boolean(),
    threshold: number.nullable(),
    operatingPoint: text.nullable(),
    findings: z.array(z.object({ label, positive: z.boolean(), threshold: number.nullable() })),
  }),
  confidence: fraction,
  calibration: z
    .object({
      method: text,
      temperature: number,
      eceBefore: number.nullable(),
      eceAfter: number.nullable(),
    })
    .nullable(),
  heatmap: z
    .looseObject({ url: text, method: text, layer: text.nullable(), target: text })
    .nullable(),
  image: z.looseObject({
    width: z.int(),
    height: z.int(),
    sha256: text,
    format: text,
    passport: z
      .object({ steps: z.array(text), tags: z.array(z.object({ name: text, value: text })) })
      .optional(),
  }),
  familiarity: z.object({ score: number, outOfDistribution: z.boolean() }).nullable(),
  preprocessing: text,
  precision: text,
  activation: text.nullable(),
  at: text,
  warnings: z.array(text),
  timings: z.object({
    decode: number,
    preprocess: number,
    infer: number,
    explain: number,
    total: number,
  }),
})

export const ComparisonSchema = z.looseObject({
  a: PredictionSchema,
  b: PredictionSchema,
  agree: z.boolean(),
  deltas: z.record(z.string(), number),
})

export const McNemarSchema = z.object({
  b: z.int(),
  c: z.int(),
  method: z.enum(['exact', 'chi-square']),
  p: fraction,
  midP: fraction.nullable(),
})

export const EvidenceSchema = z.looseObject({
  challenge: z.looseObject({ id: text, version: text, mode: text, startedAt: text }),
  active: text,
  pairs: z.int(),
  agreement: fraction.nullable(),
  kappa: number.nullable(),
  meanGap: fraction.nullable(),
  disagreements: z.array(z.looseObject({ prediction: text })),
  disagreementCount: z.int(),
  truth: z.looseObject({ n: z.int(), mcnemar: McNemarSchema }),
  arms: z.array(z.looseObject({ version: text, role: text })).nullable(),
  /** The rule of the condition and what it says of this evidence; null without one. */
  rule: z.looseObject({ minCases: z.int(), margin: number, isMet: z.boolean() }).nullable(),
})

export const AliasesSchema = z.object({
  items: z.array(z.object({ alias: text, version: text })),
})

export const ChangesSchema = z.object({
  items: z.array(
    z.looseObject({ field: text, at: text, by: text, via: text, reason: text.nullable() }),
  ),
})

export const FeedbackSchema = z.looseObject({
  verdict: z.enum(['agree', 'disagree', 'unsure']),
  label: text.nullable(),
  comment: text.nullable(),
  at: text,
})

/** `{items, nextCursor}` and for versions `total`. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.looseObject({ items: z.array(item), nextCursor: text.nullable() })
}
