// Datasets as rows: where a folder of labelled images lies, what a scan found in it, how it was prepared.
// Looking into the folder is the training room's.
import type { Selectable } from 'kysely'
import { AppError } from '../../errors.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'
import type { DatasetTable, Db } from '../schema/database.ts'
import type { LabelCheck } from './label-check.ts'

export type DatasetState = DatasetTable['state']

/** Lists are cut after some hundred entries; the counts beside them are whole. */
export interface ScanReport {
  readonly layout: string
  readonly images: number
  readonly bytes: number
  readonly classes: readonly { readonly label: string; readonly count: number }[]
  readonly splits: readonly { readonly split: string; readonly count: number }[]
  readonly unlabelled: number
  readonly tables: readonly string[]
  readonly formats: Readonly<Record<string, number>>
  readonly bitDepths: Readonly<Record<string, number>>
  readonly channels: Readonly<Record<string, number>>
  /** Of the decoded images, in pixels; null when none could be decoded. */
  readonly sizes: {
    readonly width: Spread
    readonly height: Spread
  } | null
  readonly broken: { readonly count: number; readonly files: readonly FileReason[] }
  readonly duplicates: { readonly count: number; readonly groups: readonly (readonly string[])[] }
  readonly nearDuplicates: {
    readonly count: number
    readonly pairs: readonly (readonly [string, string])[]
  }
  /** Equal images with different labels: one of them must be wrong. */
  readonly conflicts: readonly (readonly string[])[]
  /** Patients, lesions or studies that files could be joined to. */
  readonly groups: number
  /** Groups and equal images that lie in more than one of the dataset's own splits. */
  readonly leaks: { readonly groups: number; readonly images: number }
  /** Variance of the Laplacian of the image at 256 px: the lower, the more blurred. */
  readonly sharpness: {
    readonly median: number
    readonly blurred: readonly { readonly file: string; readonly score: number }[]
  } | null
  readonly warnings: readonly string[]
}

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

export interface FileReason {
  readonly file: string
  readonly reason: string
}

/** What is done with an image that a table is not sure about (-1 in CheXpert). */
export type UncertainLabels = 'leave-out' | 'positive' | 'negative'

export interface Preparation {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  /** The condition whose classes it was prepared for; null: they were read off the labels. */
  readonly condition: string | null
  readonly seed: number
  readonly maxPerClass: number | null
  /** Paths or patterns that were left out by hand. */
  readonly exclude: readonly string[]
  readonly imageSize: number
  /** Labels that a table was not sure about; absent in older rows, which left none out. */
  readonly uncertain?: UncertainLabels
  readonly images: number
  /** Images of each class in each split. */
  readonly splits: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly setAside: { readonly count: number; readonly files: readonly FileReason[] }
  readonly duplicates: number
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
  readonly fingerprint: string
  readonly testSet: string
}

/** As given out by the API. */
export interface Dataset {
  readonly id: string
  /** Relative to the data root. */
  readonly path: string
  readonly name: string
  readonly state: DatasetState
  readonly reason: string | null
  readonly scan: ScanReport | null
  readonly prepared: Preparation | null
  /** Labels that look wrong, after a first training; of the preparation whose fingerprint it names. */
  readonly labelCheck: LabelCheck | null
  readonly createdAt: string
  readonly scannedAt: string | null
  readonly preparedAt: string | null
}

/** In the order of their paths. */
export async function listDatasets(db: Db): Promise<Dataset[]> {
  return (await db.selectFrom('datasets').selectAll().orderBy('path').execute()).map(fromRow)
}

/** By id, or by its path. */
export async function findDataset(db: Db, id: string): Promise<Dataset | undefined> {
  const row = await db
    .selectFrom('datasets')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', id), eb('path', '=', id)]))
    .executeTakeFirst()
  return row && fromRow(row)
}

/** @throws AppError `unknown-dataset` */
export async function getDataset(db: Db, id: string): Promise<Dataset> {
  const dataset = await findDataset(db, id)
  if (dataset) return dataset
  throw new AppError(
    'unknown-dataset',
    `There is no dataset "${id.slice(0, 120)}"; scan its folder first.`,
  )
}

export async function addDataset(
  db: Db,
  dataset: { readonly id: string; readonly path: string; readonly name: string; at: string },
): Promise<void> {
  const { id, path, name, at } = dataset
  await db
    .insertInto('datasets')
    .values({
      id,
      path,
      name,
      state: 'scanning',
      reason: null,
      scan: null,
      prepared: null,
      label_check: null,
      created_at: at,
      scanned_at: null,
      prepared_at: null,
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ state: 'scanning', reason: null }),
    )
    .execute()
}

export interface DatasetChange {
  readonly state: DatasetState
  readonly reason?: string | null
  readonly scan?: { readonly report: ScanReport; readonly at: string }
  readonly prepared?: { readonly report: Preparation; readonly at: string } | null
  readonly labelCheck?: LabelCheck
}

export async function changeDataset(db: Db, id: string, change: DatasetChange): Promise<void> {
  const { state, reason = null, scan, prepared, labelCheck } = change
  await db
    .updateTable('datasets')
    .where('id', '=', id)
    .set({
      state,
      reason,
      ...(scan && { scan: JSON.stringify(scan.report), scanned_at: scan.at }),
      ...(prepared && { prepared: JSON.stringify(prepared.report), prepared_at: prepared.at }),
      ...(prepared === null && { prepared: null, prepared_at: null }),
      ...(labelCheck && { label_check: JSON.stringify(labelCheck) }),
    })
    .execute()
}

/** Nothing is under way any more, and `reason` says why: it is again what it was before. */
export async function restDataset(
  db: Db,
  { id, reason }: { readonly id: string; readonly reason: string | null },
): Promise<void> {
  const { scan, prepared } = await getDataset(db, id)
  await changeDataset(db, id, {
    state: prepared ? 'prepared' : scan ? 'scanned' : 'failed',
    reason,
  })
}

/** One that nobody works on: what was under way when a process ended goes back to where it was before. */
export async function settleDataset(db: Db, id: string): Promise<void> {
  const { state } = await getDataset(db, id)
  if (state !== 'scanning' && state !== 'preparing') return
  const what = state === 'scanning' ? 'The scan' : 'The preparation'
  const reason = `${what} was interrupted when the server stopped; start it again.`
  await restDataset(db, { id, reason })
}

function fromRow(row: Selectable<DatasetTable>): Dataset {
  return {
    id: row.id,
    path: row.path,
    name: row.name,
    state: row.state,
    reason: row.reason,
    scan: row.scan === null ? null : (JSON.parse(row.scan) as ScanReport),
    prepared: row.prepared === null ? null : (JSON.parse(row.prepared) as Preparation),
    labelCheck: row.label_check === null ? null : (JSON.parse(row.label_check) as LabelCheck),
    createdAt: row.created_at,
    scannedAt: row.scanned_at,
    preparedAt: row.prepared_at,
  }
}
