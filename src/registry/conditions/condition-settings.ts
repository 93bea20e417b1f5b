// Changing a condition: its words, policy, gate, operating point in use; each change is a row.
import { AppError } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'
import { checkExpectedState, type ExpectedState } from '../activation/expected-state.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { getVersion, type Version } from '../versions/versions.ts'
import { recordChanges } from './changes.ts'
import {
  type Condition,
  checkClasses,
  type GateMetric,
  getCondition,
  type Policy,
} from './conditions.ts'

/** What is absent stays as it is. */
export interface ConditionPatch {
  readonly name?: string | undefined
  readonly bodyPart?: string | undefined
  readonly policy?: Policy | undefined
  readonly gate?:
    | { readonly metric?: GateMetric | undefined; readonly margin?: number | undefined }
    | undefined
  /** null: the default one of the version that answers. */
  readonly operatingPoint?: string | null | undefined
  readonly kind?: ConditionKind | undefined
  readonly classes?: readonly ClassLabel[] | undefined
}

/**
 * @throws AppError `unknown-condition`; `state-changed`; `conflict` when classes change although there are versions;
 * `unknown-operating-point` when the active version has none of that name; `invalid`
 */
export async function patchCondition(
  db: Db,
  options: {
    id: string
    patch: ConditionPatch
    actor: Actor
    clock: Clock
    /** Kept with each change. */
    reason?: string | undefined
    /** The activation that the caller saw. */
    expected?: ExpectedState
  },
): Promise<Condition> {
  const { id, patch, actor, clock, reason, expected } = options
  await db.transaction().execute(async (trx) => {
    const condition = await getCondition(trx, id)
    await checkExpectedState(trx, { condition, expected })
    if (patch.name?.trim() === '') throw new AppError('invalid', 'A condition needs a name.')
    const reshaped = patch.classes !== undefined || patch.kind !== undefined
    if (reshaped) checkReshaping(condition, patch)
    if (patch.operatingPoint)
      await checkOperatingPoint(trx, { condition, name: patch.operatingPoint })
    await trx
      .updateTable('conditions')
      .where('id', '=', id)
      .set({
        name: patch.name?.trim() ?? condition.name,
        body_part: patch.bodyPart?.trim() ?? condition.bodyPart,
        policy: patch.policy ?? condition.policy,
        gate_metric: patch.gate?.metric ?? condition.gate.metric,
        gate_margin: patch.gate?.margin ?? condition.gate.margin,
        operating_point:
          patch.operatingPoint === undefined ? condition.operatingPoint : patch.operatingPoint,
        kind: patch.kind ?? condition.kind,
        classes: JSON.stringify(patch.classes ?? condition.classes),
      })
      .execute()
    const values = whatChanges(condition, patch)
    await recordChanges(trx, { subject: id, values, actor, clock, reason })
  })
  return getCondition(db, id)
}

/** The operating point that decides: the condition's where the version has one of that name, else its default one. */
export function operatingPointInUse(
  condition: Condition,
  version: Version,
): Version['operatingPoints'][number] | undefined {
  const named = (name: string | null) => version.operatingPoints.find((one) => one.name === name)
  return (
    named(condition.operatingPoint) ??
    named(version.defaultOperatingPoint) ??
    version.operatingPoints[0]
  )
}

/** A form sends all its fields; a row is made for those that change. */
function whatChanges(condition: Condition, patch: ConditionPatch): Record<string, unknown> {
  const gate = patch.gate && { ...condition.gate, ...patch.gate }
  const wanted = { ...patch, ...(gate && { gate }) }
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([field, value]) =>
        value !== undefined &&
        JSON.stringify(value) !== JSON.stringify(condition[field as keyof Condition]),
    ),
  )
}

function checkReshaping(condition: Condition, patch: ConditionPatch): void {
  if (condition.versions > 0) {
    throw new AppError(
      'conflict',
      `${condition.name} has versions, so its classes can no longer change.`,
    )
  }
  checkClasses(patch.kind ?? condition.kind, patch.classes ?? condition.classes)
}

async function checkOperatingPoint(
  db: Db,
  { condition, name }: { condition: Condition; name: string },
): Promise<void> {
  if (!condition.active) {
    throw new AppError('no-active-version', 'Choose an operating point once a version is active.')
  }
  const version = await getVersion(db, parseVersion(condition.active.version))
  const names = version.operatingPoints.map((point) => point.name)
  if (names.includes(name)) return
  throw new AppError(
    'unknown-operating-point',
    `${version.id} has no operating point "${name.slice(0, 64)}"; it has ${names.join(', ') || 'none'}.`,
  )
}
