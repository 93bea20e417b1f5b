// A package becomes a row: its condition is made when it is the first of it, and its numbers are never used again.
import { AppError } from '../../errors.ts'
import { formatVersion, type VersionRef } from '../../package/ids.ts'
import type { ClassLabel, Manifest } from '../../package/schema.ts'
import { createCondition, findCondition } from '../conditions/conditions.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { intactStatus } from './evaluations.ts'
import { checkTags, replaceTags, searchText } from './versions.ts'

export interface NewVersionRow {
  readonly ref: VersionRef
  readonly manifest: Manifest
  readonly sha256: string
  readonly sizeBytes: number
  readonly by: string
  readonly via: string
  /** What is wrong with its files; null when they are intact. */
  readonly damage: string | null
  /** Its id where it was exported. */
  readonly formerId?: string | undefined
  readonly clock: Clock
}

/**
 * Makes the condition of the manifest unless it is there. @throws AppError `conflict` when it is there with another
 * kind or other classes, for which the model was not made
 */
export async function ensureCondition(
  db: Db,
  { manifest, actor, clock }: { manifest: Manifest; actor: Actor; clock: Clock },
): Promise<void> {
  const existing = await findCondition(db, manifest.condition)
  if (!existing) {
    const { condition: id, conditionName: name, bodyPart, kind, classes } = manifest
    await createCondition(db, { condition: { id, name, bodyPart, kind, classes }, actor, clock })
    return
  }
  const same =
    existing.kind === manifest.kind &&
    existing.classes.length === manifest.classes.length &&
    existing.classes.every((one, index) => {
      const other = manifest.classes[index]
      return one.label === other?.label && one.positive === other.positive
    })
  if (same) return
  const labels = (classes: readonly ClassLabel[]): string =>
    classes.map((one) => one.label).join(', ')
  throw new AppError(
    'conflict',
    `The package was made for ${manifest.kind} classes ${labels(manifest.classes)}, but ${existing.name} has ` +
      `${existing.kind} classes ${labels(existing.classes)}.`,
  )
}

/** The next number of the name; it is taken for ever, also when the registration then fails. */
export async function takeNumber(
  db: Db,
  { condition, name }: Pick<VersionRef, 'condition' | 'name'>,
): Promise<number> {
  const row = await db
    .insertInto('version_counters')
    .values({ condition, name, last_n: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['condition', 'name'])
        .doUpdateSet((eb) => ({ last_n: eb('version_counters.last_n', '+', 1) })),
    )
    .returning('last_n')
    .executeTakeFirstOrThrow()
  return row.last_n
}

/** No number up to and including `n` is given out again. */
export async function keepNumber(db: Db, ref: VersionRef): Promise<void> {
  const { condition, name, n } = ref
  await db
    .insertInto('version_counters')
    .values({ condition, name, last_n: n })
    .onConflict((conflict) =>
      conflict
        .columns(['condition', 'name'])
        .doUpdateSet({ last_n: n })
        .where('version_counters.last_n', '<', n),
    )
    .execute()
}

export async function insertVersion(db: Db, row: NewVersionRow): Promise<void> {
  const { ref, manifest, damage, clock } = row
  const id = formatVersion(ref)
  const now = clock().toISOString()
  const tags = checkTags(manifest.tags)
  const { metrics, architecture } = manifest
  await db.transaction().execute(async (trx) => {
    await keepNumber(trx, ref)
    const { id: rowId } = await trx
      .insertInto('versions')
      .values({
        condition: ref.condition,
        name: ref.name,
        n: ref.n,
        sha256: row.sha256,
        architecture,
        status:
          damage === null
            ? await intactStatus(trx, { metrics, sha256: row.sha256 })
            : 'quarantined',
        status_reason: damage,
        deleted_at: null,
        emptied_at: null,
        created_at: new Date(manifest.createdAt).toISOString(),
        registered_at: now,
        registered_by: row.by,
        registered_via: row.via,
        verified_at: damage === null ? now : null,
        size_bytes: row.sizeBytes,
        accuracy: metrics?.accuracy ?? null,
        balanced_accuracy: metrics?.balancedAccuracy ?? null,
        auc: metrics?.auc ?? null,
        sensitivity: metrics?.sensitivity ?? null,
        specificity: metrics?.specificity ?? null,
        f1: metrics?.f1 ?? null,
        demonstration: manifest.demonstration ? 1 : 0,
        manifest: JSON.stringify(manifest),
        lineage: JSON.stringify({
          ...manifest.lineage,
          ...(row.formerId && { formerId: row.formerId }),
        }),
        notes: '',
        search_text: searchText({ id, architecture, tags, notes: '' }),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await replaceTags(trx, { rowId, tags })
  })
}
