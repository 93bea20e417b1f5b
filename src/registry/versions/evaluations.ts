// Evaluations of versions on images from elsewhere, as rows beside the packages, which never change. A version without
// figures of its own becomes comparable by one.
import type { Selectable } from 'kysely'
import { AppError } from '../../errors.ts'
import type { Metrics } from '../../package/schema.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db, EvaluationTable } from '../schema/database.ts'

/** As given out by the API. `report` is the training room's: figures with intervals, curves, warnings. */
export interface StoredEvaluation<Report = unknown> {
  readonly id: string
  /** `condition/name@n` as it was then. */
  readonly version: string
  readonly sha256: string
  /** Path below the data root. */
  readonly dataset: string
  readonly split: string
  readonly metrics: Metrics
  /** Enough images of both kinds to stand for the version in the gate. */
  readonly isEvidence: boolean
  readonly report: Report
  readonly at: string
  readonly by: string
  readonly via: string
}

interface EvaluatedVersion {
  readonly id: string
  readonly sha256: string
}

/** Fewer images than this prove nothing. */
export const MIN_EVIDENCE = 20

/** Keeps it; a version that was `unevaluated` for want of figures is `verified` by it. Returns its id. */
export async function addEvaluation(
  db: Db,
  o: {
    readonly version: EvaluatedVersion
    readonly dataset: string
    readonly split: string
    readonly metrics: Metrics
    readonly report: object
    readonly actor: Actor
    readonly clock: Clock
  },
): Promise<StoredEvaluation> {
  const { version, metrics, actor } = o
  const id = crypto.randomUUID()
  const isEvidence = isEnough(metrics)
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('evaluations')
      .values({
        id,
        version: version.id,
        sha256: version.sha256,
        dataset: o.dataset,
        split: o.split,
        test_set: metrics.testSet,
        metrics: JSON.stringify(metrics),
        is_evidence: isEvidence ? 1 : 0,
        report: JSON.stringify(o.report),
        at: o.clock().toISOString(),
        by: actor.by,
        via: actor.via,
      })
      .execute()
    if (!isEvidence) return
    await trx
      .updateTable('versions')
      .where('sha256', '=', version.sha256)
      .where('status', '=', 'unevaluated')
      .set({ status: 'verified' })
      .execute()
  })
  return getEvaluation(db, { version, id })
}

function isEnough({ n, sensitivity, specificity }: Metrics): boolean {
  return n >= MIN_EVIDENCE && sensitivity !== null && specificity !== null
}

/** Newest first. */
export async function listEvaluations(
  db: Db,
  { sha256 }: Pick<EvaluatedVersion, 'sha256'>,
): Promise<StoredEvaluation[]> {
  const rows = await db
    .selectFrom('evaluations')
    .selectAll()
    .where('sha256', '=', sha256)
    .orderBy('seq', 'desc')
    .execute()
  return rows.map(fromRow)
}

/** @throws AppError `not-found` */
export async function getEvaluation(
  db: Db,
  { version, id }: { readonly version: EvaluatedVersion; readonly id: string },
): Promise<StoredEvaluation> {
  const row = await db
    .selectFrom('evaluations')
    .selectAll()
    .where('sha256', '=', version.sha256)
    .where('id', '=', id)
    .executeTakeFirst()
  if (row) return fromRow(row)
  throw new AppError('not-found', `${version.id} has no such evaluation.`)
}

/** Figures that a version may be judged by: those of its package first, then evaluations, newest first. */
export async function measuredMetrics(
  db: Db,
  { sha256, metrics }: { readonly sha256: string; readonly metrics: Metrics | null },
): Promise<Metrics[]> {
  const rows = await db
    .selectFrom('evaluations')
    .select('metrics')
    .where('sha256', '=', sha256)
    .where('is_evidence', '=', 1)
    .orderBy('seq', 'desc')
    .execute()
  return [...(metrics ? [metrics] : []), ...rows.map((row) => JSON.parse(row.metrics) as Metrics)]
}

/** The status of a package whose files are intact. */
export async function intactStatus(
  db: Db,
  version: { readonly sha256: string; readonly metrics: Metrics | null },
): Promise<'verified' | 'unevaluated'> {
  return (await measuredMetrics(db, version)).length > 0 ? 'verified' : 'unevaluated'
}

function fromRow(row: Selectable<EvaluationTable>): StoredEvaluation {
  return {
    id: row.id,
    version: row.version,
    sha256: row.sha256,
    dataset: row.dataset,
    split: row.split,
    metrics: JSON.parse(row.metrics) as Metrics,
    isEvidence: row.is_evidence === 1,
    report: JSON.parse(row.report) as unknown,
    at: row.at,
    by: row.by,
    via: row.via,
  }
}
