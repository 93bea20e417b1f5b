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

/** Newest first, those that have not expired. `version`: `condition/name@n`. */
export async function pastPredictions(
  db: Db,
  { version, limit }: { version: string; limit: number },
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
