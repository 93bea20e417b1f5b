// Versions: registered packages as rows. One whole, and what may change about it: status, notes, tags.
// Lists with filters: version-list.ts. Files: register-package.ts, version-bin.ts.

import { type Selectable, sql } from 'kysely'
import { AppError } from '../../errors.ts'
import { formatVersion, isName, type VersionRef } from '../../package/ids.ts'
import type {
  Calibration,
  ClassLabel,
  ConditionKind,
  FileEntry,
  Manifest,
  Metrics,
  OperatingPoint,
  PrecisionEvidence,
} from '../../package/schema.ts'
import { recordChanges } from '../conditions/changes.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db, VersionTable } from '../schema/database.ts'
import type { VersionStatus } from '../schema/states.ts'
import { intactStatus } from './evaluations.ts'

/** As given out by the API (CONTRACT section 2). */
export interface Version {
  /** `condition/name@n` */
  readonly id: string
  readonly condition: string
  readonly name: string
  readonly n: number
  readonly sha256: string
  readonly architecture: string
  readonly status: VersionStatus
  /** Why it is quarantined or deleted. */
  readonly statusReason: string | null
  readonly createdAt: string
  readonly registeredAt: string
  readonly registeredBy: string
  /** `page`, `api`, `cli`, `file` (inbox), `policy`, or `adopted`: found in the store at a start. */
  readonly registeredVia: string
  /** When all its files were last found intact. */
  readonly verifiedAt: string | null
  /** Since when it is deleted; null while it is not. */
  readonly deletedAt: string | null
  /** Deleted, and its package can still be put back. */
  readonly isInBin: boolean
  readonly sizeBytes: number
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly notice: string | null
  readonly demonstration: boolean
  readonly metrics: Metrics | null
  readonly calibration: Calibration | null
  readonly operatingPoints: readonly OperatingPoint[]
  readonly defaultOperatingPoint: string | null
  /** What its graph in eight bits gives, for a package that has one. */
  readonly int8: PrecisionEvidence | null
  readonly files: readonly FileEntry[]
  readonly lineage: Readonly<Record<string, string | number | null>>
  readonly tags: readonly string[]
  readonly notes: string
  /** Names that point at it, see aliases.ts. */
  readonly aliases: readonly string[]
  /** It answers for its condition now. */
  readonly active: boolean
}

export async function findVersion(db: Db, ref: VersionRef): Promise<Version | undefined> {
  const row = await versionQuery(db)
    .where('condition', '=', ref.condition)
    .where('name', '=', ref.name)
    .where('n', '=', ref.n)
    .executeTakeFirst()
  return row && versionFromRow(row)
}

/** Deleted ones too, which say so. @throws AppError `unknown-version` */
export async function getVersion(db: Db, ref: VersionRef): Promise<Version> {
  const named = isName(ref.condition) && isName(ref.name)
  const version = named ? await findVersion(db, ref) : undefined
  if (version) return version
  throw new AppError('unknown-version', `There is no version ${formatVersion(ref).slice(0, 160)}.`)
}

/** The number of its row, for tables that point at it. @throws AppError `unknown-version` */
export async function versionRowId(db: Db, ref: VersionRef): Promise<number> {
  const row = await db
    .selectFrom('versions')
    .select('id')
    .where('condition', '=', ref.condition)
    .where('name', '=', ref.name)
    .where('n', '=', ref.n)
    .executeTakeFirst()
  if (row) return row.id
  throw new AppError('unknown-version', `There is no version ${formatVersion(ref).slice(0, 160)}.`)
}

/** The one that is not deleted and has this digest. */
export async function findVersionByDigest(db: Db, sha256: string): Promise<Version | undefined> {
  const row = await versionQuery(db)
    .where('sha256', '=', sha256)
    .where('status', '<>', 'deleted')
    .executeTakeFirst()
  return row && versionFromRow(row)
}

/** Of a foreign file that was imported before, and is intact. */
export async function findVersionByImportKey(db: Db, key: string): Promise<Version | undefined> {
  const row = await versionQuery(db)
    .where(sql`json_extract(versions.lineage, '$.importKey')`, '=', key)
    .where('status', 'in', ['verified', 'unevaluated'])
    .orderBy('n')
    .limit(1)
    .executeTakeFirst()
  return row && versionFromRow(row)
}

/** Notes up to 10,000 characters; up to 50 tags of 64. @throws AppError `unknown-version`, `invalid` */
export async function patchVersion(
  db: Db,
  options: {
    ref: VersionRef
    patch: { notes?: string | undefined; tags?: readonly string[] | undefined }
    actor: Actor
    clock: Clock
  },
): Promise<Version> {
  const { ref, patch, actor, clock } = options
  const version = await getVersion(db, ref)
  if ((patch.notes?.length ?? 0) > 10_000) {
    throw new AppError('invalid', 'Notes are limited to 10,000 characters.')
  }
  const tags = patch.tags && checkTags(patch.tags)
  await db.transaction().execute(async (trx) => {
    if (tags) await replaceTags(trx, { rowId: await versionRowId(trx, ref), tags })
    const notes = patch.notes ?? version.notes
    await trx
      .updateTable('versions')
      .where('condition', '=', ref.condition)
      .where('name', '=', ref.name)
      .where('n', '=', ref.n)
      .set({ notes, search_text: searchText({ ...version, notes, tags: tags ?? version.tags }) })
      .execute()
    await recordChanges(trx, { subject: version.id, values: { ...patch, tags }, actor, clock })
  })
  return getVersion(db, ref)
}

export async function replaceTags(
  trx: Db,
  { rowId, tags }: { rowId: number; tags: readonly string[] },
): Promise<void> {
  await trx.deleteFrom('version_tags').where('version', '=', rowId).execute()
  if (tags.length === 0) return
  await trx
    .insertInto('version_tags')
    .values(tags.map((tag) => ({ version: rowId, tag })))
    .execute()
}

/** Trimmed, each once, in order. @throws AppError `invalid` */
export function checkTags(tags: readonly string[]): string[] {
  const wanted = [...new Set(tags.map((tag) => tag.trim()).filter(Boolean))].sort()
  if (wanted.length > 50 || wanted.some((tag) => tag.length > 64)) {
    throw new AppError('invalid', 'A version can have up to 50 tags of up to 64 characters.')
  }
  return wanted
}

/** Keeps what a check of the files found. A deleted version stays deleted. */
export async function setIntegrity(
  db: Db,
  options: { version: Version; damage: string | null; clock: Clock },
): Promise<void> {
  const { version, damage, clock } = options
  await db
    .updateTable('versions')
    .where('condition', '=', version.condition)
    .where('name', '=', version.name)
    .where('n', '=', version.n)
    .where('status', '<>', 'deleted')
    .set(
      damage === null
        ? {
            status: await intactStatus(db, version),
            status_reason: null,
            verified_at: clock().toISOString(),
          }
        : { status: 'quarantined', status_reason: damage },
    )
    .execute()
}

export function searchText(
  version: Pick<Version, 'id' | 'architecture' | 'notes' | 'tags'>,
): string {
  return [version.id, version.architecture, ...version.tags, version.notes].join(' ').toLowerCase()
}

export function versionQuery(db: Db) {
  return db
    .selectFrom('versions')
    .selectAll('versions')
    .select((eb) => [
      eb
        .selectFrom('version_tags')
        .whereRef('version_tags.version', '=', 'versions.id')
        .select((inner) => inner.fn<string>('json_group_array', ['tag']).as('tags'))
        .as('tags'),
      eb
        .selectFrom('aliases')
        .whereRef('aliases.version', '=', 'versions.id')
        .select((inner) => inner.fn<string>('json_group_array', ['alias']).as('names'))
        .as('aliases'),
      eb
        .selectFrom('conditions')
        .whereRef('conditions.active_version', '=', 'versions.id')
        .select((inner) => inner.fn.countAll<number>().as('count'))
        .as('active'),
    ])
}

type VersionRow = Selectable<VersionTable> & {
  tags: string | null
  aliases: string | null
  active: number | null
}

export function versionFromRow(row: VersionRow): Version {
  const manifest = JSON.parse(row.manifest) as Manifest
  return {
    id: formatVersion(row),
    condition: row.condition,
    name: row.name,
    n: row.n,
    sha256: row.sha256,
    architecture: row.architecture,
    status: row.status,
    statusReason: row.status_reason,
    createdAt: row.created_at,
    registeredAt: row.registered_at,
    registeredBy: row.registered_by,
    registeredVia: row.registered_via,
    verifiedAt: row.verified_at,
    deletedAt: row.deleted_at,
    isInBin: row.status === 'deleted' && row.emptied_at === null,
    sizeBytes: row.size_bytes,
    kind: manifest.kind,
    classes: manifest.classes,
    notice: manifest.notice,
    demonstration: row.demonstration === 1,
    metrics: manifest.metrics,
    calibration: manifest.calibration,
    operatingPoints: manifest.operatingPoints,
    defaultOperatingPoint: manifest.defaultOperatingPoint,
    int8: manifest.int8 ?? null,
    files: manifest.files,
    lineage: JSON.parse(row.lineage) as Version['lineage'],
    tags: (JSON.parse(row.tags ?? '[]') as string[]).sort(),
    notes: row.notes,
    aliases: (JSON.parse(row.aliases ?? '[]') as string[]).sort(),
    active: (row.active ?? 0) > 0,
  }
}
