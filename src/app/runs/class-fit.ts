// Whether the chosen datasets have images of every class of the chosen condition, before a run is asked for, and a condition
// made from a dataset's own classes where they do not.
import { isAppError } from '../../errors.ts'
import { parseName } from '../../package/ids.ts'
import {
  type Condition,
  createCondition,
  getCondition,
  listConditions,
} from '../../registry/conditions/conditions.ts'
import type { Actor, Clock } from '../../registry/home/registry-context.ts'
import { type Dataset, getDataset, listDatasets } from '../../registry/runs/datasets.ts'
import type { Db } from '../../registry/schema/database.ts'
import { checkClassesFit, checkPrepared, labelsOf } from '../../training/run-checks.ts'

/** What keeps a run from being started; `dataset` is the one whose classes could make a condition. */
export interface ClassMismatch {
  readonly reason: string
  readonly dataset: { readonly id: string; readonly classes: readonly string[] }
}

/** Undefined: every dataset fits. An empty condition is the one that each dataset was prepared for. */
export async function findMismatch(
  db: Db,
  { condition, datasets }: { readonly condition: string; readonly datasets: readonly string[] },
): Promise<ClassMismatch | undefined> {
  const conditions = await listConditions(db)
  const chosen = (await listDatasets(db)).filter(({ id }) => datasets.includes(id))
  for (const dataset of chosen) {
    const id = condition || dataset.prepared?.condition
    const found = conditions.find((one) => one.id === id)
    const reason = found
      ? reasonOf(() => checkClassesFit(found, dataset))
      : `"${dataset.name}" was not prepared for a condition: choose one, or create one from its classes.`
    if (reason !== undefined)
      return { reason, dataset: { id: dataset.id, classes: labelsOf(dataset) } }
  }
  return undefined
}

/** The first condition that fits the first dataset: the one it was prepared for, else one of its classes, else ''. */
export function usualCondition(
  dataset: Dataset | undefined,
  conditions: readonly Condition[],
): string {
  if (!dataset) return conditions[0]?.id ?? ''
  const fits = (one: Condition) => reasonOf(() => checkClassesFit(one, dataset)) === undefined
  return dataset.prepared?.condition ?? conditions.find(fits)?.id ?? ''
}

/**
 * With the classes it was prepared with, named after it; one that is there with the same classes is used.
 * @throws AppError `unknown-dataset`, `dataset-not-prepared`, `invalid` for classes that make no condition
 */
export async function conditionFromDataset(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  o: { readonly dataset: string; readonly actor: Actor },
): Promise<Condition> {
  const dataset = await getDataset(db, o.dataset)
  const { kind, classes } = checkPrepared(dataset)
  const taken = new Set((await listConditions(db)).map(({ id }) => id))
  const plain = dataset.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  const base = parseName((plain || 'condition').slice(0, 40), 'condition')
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`
    if (!taken.has(id)) {
      const condition = { id, name: dataset.name, bodyPart: '', kind, classes }
      return createCondition(db, { condition, actor: o.actor, clock })
    }
    const there = await getCondition(db, id)
    const fits = reasonOf(() => checkClassesFit(there, dataset)) === undefined
    if (fits && there.kind === kind && there.classes.length === classes.length) return there
  }
}

function reasonOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (isAppError(error)) return error.message
    throw error
  }
}
