// Conditions: what is diagnosed, which version answers, and by which rules that changes.
// Making a version active is activate.ts.
import { AppError } from '../../errors.ts'
import { formatVersion, isName, parseName } from '../../package/ids.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import { hasWarning } from '../home/warnings.ts'
import type { Database, Db } from '../schema/database.ts'
import { recordChanges } from './changes.ts'

export const GATE_METRICS = [
  'accuracy',
  'balancedAccuracy',
  'auc',
  'sensitivity',
  'specificity',
  'f1',
] as const
export type GateMetric = (typeof GATE_METRICS)[number]
export type Policy = 'pinned' | 'follow'

/** As given out by the API (CONTRACT section 2). */
export interface Condition {
  readonly id: string
  readonly name: string
  readonly bodyPart: string
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly policy: Policy
  /** `margin`: how much worse on `metric` a new version may be, as a fraction 0..1. */
  readonly gate: { readonly metric: GateMetric; readonly margin: number }
  /** `damaged`: the package's files differ from its manifest; a verified copy goes on answering. */
  readonly active: {
    readonly version: string
    readonly sha256: string
    readonly since: string
    readonly state: 'ok' | 'damaged'
    readonly activation: string
    /** `stale`: active.json could not be written and says something old. */
    readonly pointer: 'ok' | 'stale'
  } | null
  readonly challenger: {
    readonly version: string
    readonly mode: 'shadow' | 'split'
    readonly share: number | null
  } | null
  /** Name of the operating point in use; null: the default one of the version that answers. */
  readonly operatingPoint: string | null
  /** How many versions it has that are not deleted. */
  readonly versions: number
}

export interface NewCondition {
  readonly id: string
  readonly name: string
  readonly bodyPart: string
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly policy?: Policy
  readonly gate?: Condition['gate']
}

/** Five hundredths of balanced accuracy: about what chance alone moves it on a test set of two hundred images. */
const DEFAULT_GATE: Condition['gate'] = { metric: 'balancedAccuracy', margin: 0.05 }

/** In the order of their names. */
export async function listConditions(db: Db): Promise<Condition[]> {
  return (await query(db).orderBy('conditions.name').orderBy('conditions.id').execute()).map(
    (row) => fromRow(db, row),
  )
}

export async function findCondition(db: Db, id: string): Promise<Condition | undefined> {
  const row = await query(db).where('conditions.id', '=', id).executeTakeFirst()
  return row && fromRow(db, row)
}

/** @throws AppError `unknown-condition` */
export async function getCondition(db: Db, id: string): Promise<Condition> {
  const condition = isName(id) ? await findCondition(db, id) : undefined
  if (condition) return condition
  throw new AppError('unknown-condition', `There is no condition "${id.slice(0, 80)}".`)
}

/** @throws AppError `invalid` for a wrong id or classes; `conflict` when the id is taken */
export async function createCondition(
  db: Db,
  { condition, actor, clock }: { condition: NewCondition; actor: Actor; clock: Clock },
): Promise<Condition> {
  const id = parseName(condition.id, 'condition')
  checkClasses(condition.kind, condition.classes)
  const gate = condition.gate ?? DEFAULT_GATE
  await db.transaction().execute(async (trx) => {
    const taken = await trx.selectFrom('conditions').select('id').where('id', '=', id).execute()
    if (taken.length > 0) throw new AppError('conflict', `The condition "${id}" already exists.`)
    await trx
      .insertInto('conditions')
      .values({
        id,
        name: condition.name.trim(),
        body_part: condition.bodyPart.trim(),
        kind: condition.kind,
        classes: JSON.stringify(condition.classes),
        policy: condition.policy ?? 'pinned',
        gate_metric: gate.metric,
        gate_margin: gate.margin,
        operating_point: null,
        active_version: null,
        active_activation: null,
        challenger_version: null,
        challenger_mode: null,
        challenger_share: null,
        created_at: clock().toISOString(),
      })
      .execute()
    await recordChanges(trx, { subject: id, values: { created: condition }, actor, clock })
  })
  return getCondition(db, id)
}

/** @throws AppError `invalid` */
export function checkClasses(kind: ConditionKind, classes: readonly ClassLabel[]): void {
  const wrong = (message: string): never => {
    throw new AppError('invalid', message)
  }
  const labels = classes.map((one) => one.label.trim())
  if (labels.some((label) => label === '')) wrong('Every class needs a label.')
  if (new Set(labels).size !== labels.length) wrong('Two classes have the same label.')
  if (kind === 'binary') {
    if (labels.length !== 2) wrong('A binary condition has exactly two classes.')
    if (classes.filter((one) => one.positive).length !== 1) {
      wrong('Exactly one of the two classes of a binary condition is the positive finding.')
    }
  }
  if (kind === 'single-label' && labels.length < 2) {
    wrong('A condition with one label for each image has two classes or more.')
  }
  if (labels.length === 0) wrong('A condition needs classes.')
}

function query(db: Db) {
  return db
    .selectFrom('conditions')
    .leftJoin('versions as active', 'active.id', 'conditions.active_version')
    .leftJoin('activations as since', 'since.id', 'conditions.active_activation')
    .leftJoin('versions as challenger', 'challenger.id', 'conditions.challenger_version')
    .selectAll('conditions')
    .select([
      'active.name as active_name',
      'active.n as active_n',
      'active.sha256 as active_sha256',
      'active.status as active_status',
      'since.at as active_since',
      'challenger.name as challenger_name',
      'challenger.n as challenger_n',
    ])
    .select((eb) =>
      eb
        .selectFrom('versions')
        .whereRef('versions.condition', '=', 'conditions.id')
        .where('versions.status', '<>', 'deleted')
        .select((inner) => inner.fn.countAll<number>().as('count'))
        .as('version_count'),
    )
}

type Row = Awaited<ReturnType<ReturnType<typeof query>['execute']>>[number]

function fromRow(db: Db, row: Row): Condition {
  const { active_name, active_n, challenger_name, challenger_n, challenger_mode } = row
  return {
    id: row.id,
    name: row.name,
    bodyPart: row.body_part,
    kind: row.kind,
    classes: JSON.parse(row.classes) as ClassLabel[],
    policy: row.policy,
    gate: { metric: row.gate_metric as GateMetric, margin: row.gate_margin },
    active:
      active_name === null || active_n === null
        ? null
        : {
            version: formatVersion({ condition: row.id, name: active_name, n: active_n }),
            sha256: row.active_sha256 ?? '',
            since: row.active_since ?? '',
            state: row.active_status === 'quarantined' ? 'damaged' : 'ok',
            activation: row.active_activation ?? '',
            pointer: hasWarning(db, `pointer ${row.id}`) ? 'stale' : 'ok',
          },
    challenger:
      challenger_name === null || challenger_n === null || challenger_mode === null
        ? null
        : {
            version: formatVersion({ condition: row.id, name: challenger_name, n: challenger_n }),
            mode: challenger_mode,
            share: row.challenger_share,
          },
    operatingPoint: row.operating_point,
    versions: row.version_count ?? 0,
  }
}

export type ConditionRow = Database['conditions']
