// The rule under which a challenger is promoted by itself: enough cases with reader feedback, and not worse than the
// active version by more than a margin. A rule is a row with who and why; a new one ends the one before.
// Acting on it: promote-challenger.ts.
import { AppError } from '../../errors.ts'
import {
  type Difference,
  pairedDifference,
  unpairedDifference,
} from '../../statistics/non-inferiority.ts'
import { recordChanges } from '../conditions/changes.ts'
import { getCondition } from '../conditions/conditions.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import type { ChallengerEvidence } from './challenger-evidence.ts'

export interface PromotionRule {
  /** With `shadow`: images with predictions of both and a reader's verdict; with `split`: such answers of each. */
  readonly minCases: number
  /** Fraction right by which it may at most be worse, at the lower end of the 95% interval. */
  readonly margin: number
  readonly reason: string
  readonly at: string
  readonly by: string
  readonly via: string
}

export interface RuleVerdict {
  readonly cases: number
  /** null while there are no cases. */
  readonly difference: Difference | null
  readonly isMet: boolean
  /** One sentence for the history. */
  readonly detail: string
}

export interface NewRule {
  readonly condition: string
  /** null: challengers are promoted by people only. */
  readonly rule: Pick<PromotionRule, 'minCases' | 'margin'> | null
  readonly reason: string
  readonly actor: Actor
  readonly clock: Clock
}

/** The rule in force; undefined when there is none. */
export async function findPromotionRule(
  db: Db,
  condition: string,
): Promise<PromotionRule | undefined> {
  const row = await db
    .selectFrom('promotion_rules')
    .select(['min_cases as minCases', 'margin', 'reason', 'at', 'by', 'via'])
    .where('condition', '=', condition)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return row
}

/** @throws AppError `unknown-condition`, `invalid` */
export async function setPromotionRule(db: Db, wanted: NewRule): Promise<PromotionRule | null> {
  const { condition, rule, actor, clock } = wanted
  await getCondition(db, condition)
  const reason = wanted.reason.trim()
  if (reason === '') throw new AppError('invalid', 'Give a reason.')
  if (rule && !(Number.isInteger(rule.minCases) && rule.minCases >= 1)) {
    throw new AppError('invalid', 'The number of cases must be a whole number from 1.')
  }
  if (rule && !(rule.margin >= 0 && rule.margin <= 1)) {
    throw new AppError('invalid', 'The margin must be a number from 0 to 1.')
  }
  const at = clock().toISOString()
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('promotion_rules')
      .set({ ended_at: at })
      .where('condition', '=', condition)
      .where('ended_at', 'is', null)
      .execute()
    if (rule) {
      const { minCases: min_cases, margin } = rule
      await trx
        .insertInto('promotion_rules')
        .values({ condition, min_cases, margin, reason, at, ...actor, ended_at: null })
        .execute()
    }
    const values = { promotionRule: rule }
    await recordChanges(trx, { subject: condition, values, actor, reason, clock })
  })
  return (await findPromotionRule(db, condition)) ?? null
}

/** Does the evidence satisfy the rule? */
export function judgeEvidence(
  rule: Pick<PromotionRule, 'minCases' | 'margin'>,
  evidence: ChallengerEvidence,
): RuleVerdict {
  const { cases, difference } = evidence.arms ? splitCases(evidence) : shadowCases(evidence)
  if (cases < rule.minCases) {
    const detail = `${cases} of ${rule.minCases} cases with reader feedback`
    return { cases, difference, isMet: false, detail }
  }
  const isMet = difference !== null && difference.lower >= -rule.margin
  const figures = difference
    ? `fraction right ${signed(difference.seen)} against the active version, 95% interval from ${signed(difference.lower)}`
    : 'no data'
  const verdict = isMet ? 'not worse' : 'it may be worse'
  return {
    cases,
    difference,
    isMet,
    detail: `${cases} cases, ${rule.minCases} asked; ${figures}: ${verdict} by more than ${rule.margin}`,
  }
}

function shadowCases({ truth }: ChallengerEvidence) {
  const { b, c } = truth.mcnemar
  const difference = truth.n === 0 ? null : pairedDifference({ n: truth.n, b, c })
  return { cases: truth.n, difference }
}

/** Each has answered others: what counts is how often readers agreed. */
function splitCases({ arms }: ChallengerEvidence) {
  const of = (role: 'active' | 'challenger') => {
    const arm = (arms ?? []).find((one) => one.role === role)
    return { n: (arm?.agree ?? 0) + (arm?.disagree ?? 0), right: arm?.agree ?? 0 }
  }
  const [active, challenger] = [of('active'), of('challenger')]
  const cases = Math.min(active.n, challenger.n)
  return { cases, difference: cases === 0 ? null : unpairedDifference(active, challenger) }
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`
}
