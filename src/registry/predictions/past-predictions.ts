// What a version read before, with what readers said since: to be read again by another version.
import type { Db } from '../schema/database.ts'
import { truthOf, type Verdict } from './feedback.ts'
import type { Prediction } from './predictions.ts'

export interface Past {
  readonly prediction: Prediction
  /** null when its image was not kept. */
  readonly imageFile: string | null
  /** What the newest word of a reader says that it shows; null where that cannot be told. */
  readonly truth: string | null
}

/** The place of the newest prediction of all; 0 before the first. */
export async function newestPrediction(db: Db): Promise<number> {
  const row = await db
    .selectFrom('predictions')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .executeTakeFirst()
  return Number(row?.seq ?? 0)
}

/** Newest first, those that have not expired, none behind `upTo`. `version`: `condition/name@n`. */
export async function pastPredictions(
  db: Db,
  { version, limit, upTo }: { version: string; limit: number; upTo?: number | undefined },
): Promise<Past[]> {
  const rows = await db
    .selectFrom('predictions')
    .leftJoin('feedback', (join) =>
      join.on((eb) =>
        eb(
          'feedback.seq',
          '=',
          eb
            .selectFrom('feedback as newest')
            .select((inner) => inner.fn.max('newest.seq').as('seq'))
            .whereRef('newest.prediction', '=', 'predictions.id'),
        ),
      ),
    )
    .select(['predictions.body', 'predictions.image_file', 'feedback.verdict', 'feedback.label'])
    .where('predictions.version', '=', version)
    .$if(upTo !== undefined, (q) => q.where('predictions.seq', '<=', upTo ?? 0))
    .orderBy('predictions.seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => {
    const prediction = JSON.parse(row.body) as Prediction
    const said = row.verdict && { verdict: row.verdict as Verdict, label: row.label }
    const truth = said ? truthOf(prediction, said) : null
    return { prediction, imageFile: row.image_file, truth }
  })
}
