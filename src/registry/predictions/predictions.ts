// Predictions that were given out: the JSON as it was sent, the heatmap's grid, the kept image; until they expire.
import { basename, join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Passport } from '../../imaging/passport.ts'
import type { ClassLabel } from '../../package/schema.ts'
import { checkLimit, decodeCursor, type Page, SequenceCursor, sequencePage } from '../cursor.ts'
import type { Clock, RegistryPlace } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { emptyLog, forgetPrediction } from './forget.ts'

/** One image through one version, as given out by the API (CONTRACT section 2). What is not known is null. */
export interface Prediction {
  readonly id: string
  readonly condition: string
  readonly version: string
  readonly sha256: string
  readonly role: 'active' | 'challenger' | 'requested'
  readonly classes: readonly {
    readonly label: ClassLabel['label']
    readonly probability: number
    readonly uncalibrated: number | null
    readonly logit: number | null
  }[]
  readonly decision: {
    readonly label: string
    readonly positive: boolean
    readonly threshold: number | null
    readonly operatingPoint: string | null
    readonly findings: readonly {
      readonly label: string
      readonly positive: boolean
      readonly threshold: number | null
    }[]
  }
  /** Calibrated probability of `decision.label`. */
  readonly confidence: number
  readonly calibration: {
    readonly method: string
    readonly temperature: number
    readonly eceBefore: number | null
    readonly eceAfter: number | null
  } | null
  readonly heatmap: {
    readonly url: string
    readonly method: string
    readonly layer: string | null
    readonly target: string
    /** The evidence is too weak to draw attention to a place. */
    readonly weak?: boolean
    /** Value of the map that is drawn in full colour. */
    readonly scale?: number
  } | null
  readonly image: {
    /** After orientation. */
    readonly width: number
    readonly height: number
    /** Of the bytes that were uploaded. */
    readonly sha256: string
    readonly format: string
    /** What was done to the pixels, step by step; absent from predictions made before it was recorded. */
    readonly passport?: Passport
  }
  readonly familiarity: { readonly score: number; readonly outOfDistribution: boolean } | null
  /** SHA-256 of the preprocessing configuration. */
  readonly preprocessing: string
  readonly precision: string
  /** The activation under which an active version answered. */
  readonly activation: string | null
  readonly at: string
  readonly warnings: readonly string[]
  /** Milliseconds. */
  readonly timings: {
    readonly decode: number
    readonly preprocess: number
    readonly infer: number
    readonly explain: number
    readonly total: number
  }
  /** Shown wherever the result is, e.g. "synthetic demonstration, not for use on patients". */
  readonly notice?: string | null
}

/** Row-major; `scale` is the value that is drawn as full colour. */
export interface HeatmapGrid {
  readonly grid: Float32Array
  readonly gridWidth: number
  readonly gridHeight: number
  readonly scale: number
}

export interface StoredPrediction {
  readonly prediction: Prediction
  readonly heatmap: HeatmapGrid | null
  /** Name below the uploads folder of the kept image; null when none was kept. */
  readonly imageFile: string | null
  readonly expiresAt: string
}

export async function storePrediction(db: Db, stored: StoredPrediction): Promise<void> {
  const { prediction, heatmap, imageFile, expiresAt } = stored
  await db
    .insertInto('predictions')
    .values({
      id: prediction.id,
      condition: prediction.condition,
      version: prediction.version,
      at: prediction.at,
      expires_at: expiresAt,
      body: JSON.stringify(prediction),
      grid: heatmap && toBytes(heatmap.grid),
      grid_width: heatmap?.gridWidth ?? null,
      grid_height: heatmap?.gridHeight ?? null,
      grid_scale: heatmap?.scale ?? null,
      image_file: imageFile,
    })
    .execute()
}

/** @throws AppError `gone` when it has expired, `unknown-prediction` when it never was or was deleted */
export async function getPrediction(db: Db, id: string): Promise<StoredPrediction> {
  const row = await db.selectFrom('predictions').selectAll().where('id', '=', id).executeTakeFirst()
  if (row) {
    const { grid, grid_width, grid_height, grid_scale } = row
    return {
      prediction: JSON.parse(row.body) as Prediction,
      heatmap:
        grid === null
          ? null
          : {
              grid: fromBytes(grid),
              gridWidth: grid_width ?? 0,
              gridHeight: grid_height ?? 0,
              scale: grid_scale ?? 1,
            },
      imageFile: row.image_file,
      expiresAt: row.expires_at,
    }
  }
  const tombstone = await db
    .selectFrom('prediction_tombstones')
    .select('gone_at')
    .where('id', '=', id)
    .executeTakeFirst()
  if (tombstone) {
    throw new AppError('gone', 'This result has expired; analyse the image again for a new one.')
  }
  throw new AppError('unknown-prediction', 'There is no such result; it may have been deleted.')
}

export interface PredictionFilter {
  readonly condition?: string | undefined
  /** A version id. */
  readonly version?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Newest first. @throws AppError `invalid` */
export async function listPredictions(db: Db, filter: PredictionFilter): Promise<Page<Prediction>> {
  const limit = checkLimit(filter.limit)
  let query = db.selectFrom('predictions').select(['seq', 'body']).orderBy('seq', 'desc')
  if (filter.condition) query = query.where('condition', '=', filter.condition)
  if (filter.version) query = query.where('version', '=', filter.version)
  if (filter.cursor) {
    query = query.where('seq', '<', decodeCursor(filter.cursor, SequenceCursor).seq)
  }
  const rows = await query.limit(limit + 1).execute()
  return sequencePage(rows, { limit, toItem: (row) => JSON.parse(row.body) as Prediction })
}

/** Absolute path of the kept image; undefined when none was kept. */
export function keptImagePath(
  { store }: Pick<RegistryPlace, 'store'>,
  stored: Pick<StoredPrediction, 'imageFile'>,
): string | undefined {
  return stored.imageFile === null ? undefined : join(store.uploadsDir, basename(stored.imageFile))
}

/** Forgets it, its feedback and its image now, all or nothing. @throws AppError `gone`, `unknown-prediction`, `disk-full` */
export async function deletePrediction(place: RegistryPlace, id: string): Promise<void> {
  const { imageFile } = await getPrediction(place.db, id)
  await forgetPrediction(place, { id, imageFile })
  await emptyLog(place.db)
}

/** Forgets what has expired; the ids stay known as gone. Returns them. */
export async function expirePredictions(
  place: RegistryPlace,
  { clock }: { clock: Clock },
): Promise<string[]> {
  const now = clock().toISOString()
  const rows = await place.db
    .selectFrom('predictions')
    .select(['id', 'image_file'])
    .where('expires_at', '<=', now)
    .execute()
  for (const { id, image_file } of rows) {
    await forgetPrediction(place, { id, imageFile: image_file }, { goneAt: now })
  }
  if (rows.length > 0) await emptyLog(place.db)
  return rows.map((row) => row.id)
}

function toBytes(grid: Float32Array): Uint8Array {
  return Buffer.from(grid.buffer, grid.byteOffset, grid.byteLength)
}

function fromBytes(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer)
}
