// Which images that come from an archive a condition reads by itself. Nothing is read until a person turns it on.

import { recordChanges } from '../conditions/changes.ts'
import { type Condition, getCondition } from '../conditions/conditions.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'

export interface ArchiveRule {
  readonly condition: string
  readonly enabled: boolean
  /** Modality (0008,0060); an image has one of them. */
  readonly modalities: readonly string[]
  /** Body Part Examined (0018,0015) without spaces; an image has one of them. */
  readonly bodyParts: readonly string[]
  /** Also images that name no body part. */
  readonly unnamedPart: boolean
}

type Settable = Omit<ArchiveRule, 'condition'>
/** What is absent stays as it is. */
export type ArchiveRulePatch = { readonly [K in keyof Settable]?: Settable[K] | undefined }

export async function listArchiveRules(db: Db): Promise<ArchiveRule[]> {
  const rows = await db.selectFrom('archive_rules').selectAll().orderBy('condition').execute()
  return rows.map((row) => ({
    condition: row.condition,
    enabled: row.enabled === 1,
    modalities: JSON.parse(row.modalities) as string[],
    bodyParts: JSON.parse(row.body_parts) as string[],
    unnamedPart: row.unnamed_part === 1,
  }))
}

/** `suggested` is what holds before anybody has said anything. @throws AppError `unknown-condition` */
export async function patchArchiveRule(
  db: Db,
  o: {
    readonly condition: string
    readonly patch: ArchiveRulePatch
    readonly suggested: (condition: Condition) => Omit<ArchiveRule, 'condition'>
    readonly actor: Actor
    readonly clock: Clock
  },
): Promise<ArchiveRule> {
  const { id, ...condition } = await getCondition(db, o.condition)
  const present = (await listArchiveRules(db)).find((rule) => rule.condition === id)
  const given = Object.fromEntries(
    Object.entries(o.patch).filter(([, value]) => value !== undefined),
  )
  const rule: ArchiveRule = {
    ...o.suggested({ id, ...condition }),
    ...present,
    ...given,
    condition: id,
  }
  const row = {
    condition: id,
    enabled: rule.enabled ? 1 : 0,
    modalities: JSON.stringify(rule.modalities),
    body_parts: JSON.stringify(rule.bodyParts),
    unnamed_part: rule.unnamedPart ? 1 : 0,
  }
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('archive_rules')
      .values(row)
      .onConflict((conflict) => conflict.column('condition').doUpdateSet(row))
      .execute()
    const { actor, clock } = o
    await recordChanges(trx, { subject: id, values: { archiveRule: rule }, actor, clock })
  })
  return rule
}

/** The conditions that read such an image. */
export function conditionsFor(
  rules: readonly ArchiveRule[],
  image: { readonly modality: string; readonly bodyPart: string },
): string[] {
  const fits = (rule: ArchiveRule) =>
    rule.enabled &&
    rule.modalities.includes(image.modality) &&
    (image.bodyPart === '' ? rule.unnamedPart : rule.bodyParts.includes(image.bodyPart))
  return rules.filter(fits).map(({ condition }) => condition)
}
