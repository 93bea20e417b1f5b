// What readers said about a prediction: agree, disagree or unsure; every opinion is kept, the newest one is shown first.
import { AppError } from '../../errors.ts'
import { noteTruth } from '../challenger/challenger-evidence.ts'
import type { Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { getPrediction, type Prediction } from './predictions.ts'

export type Verdict = 'agree' | 'disagree' | 'unsure'

export interface Feedback {
  readonly verdict: Verdict
  /** What the reader would have said; one of the condition's labels. */
  readonly label: string | null
  readonly comment: string | null
  readonly at: string
  readonly by: string
}

export interface NewFeedback {
  readonly prediction: string
  readonly verdict: Verdict
  readonly label?: string | undefined
  readonly comment?: string | undefined
  readonly by: string
  readonly clock: Clock
}

/** @throws AppError `unknown-prediction`, `gone`; `invalid` for a label that the prediction does not have */
export async function addFeedback(db: Db, feedback: NewFeedback): Promise<Feedback> {
  const { prediction } = await getPrediction(db, feedback.prediction)
  const label = feedback.label?.trim() || null
  const labels = prediction.classes.map((one) => one.label)
  if (label !== null && !labels.includes(label)) {
    throw new AppError('invalid', `The label must be one of ${labels.join(', ')}.`)
  }
  const comment = feedback.comment?.trim() || null
  if ((comment?.length ?? 0) > 4000) {
    throw new AppError('invalid', 'A comment is limited to 4,000 characters.')
  }
  const at = feedback.clock().toISOString()
  const row = { verdict: feedback.verdict, label, comment, at, by: feedback.by }
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('feedback')
      .values({ prediction: prediction.id, ...row })
      .execute()
    await noteTruth(trx, { prediction: prediction.id, truth: truthOf(prediction, row) })
  })
  return row
}

/** What the reader says that the image shows; null where that cannot be told. */
export function truthOf(
  { classes, decision }: Prediction,
  { verdict, label }: { verdict: Verdict; label: string | null },
): string | null {
  if (label !== null) return label
  if (verdict === 'agree') return decision.label
  // Of two classes only the other one is left.
  const others = classes.filter((one) => one.label !== decision.label)
  return verdict === 'disagree' && others.length === 1 ? (others[0]?.label ?? null) : null
}

/** Newest first. */
export async function listFeedback(db: Db, prediction: string): Promise<Feedback[]> {
  return db
    .selectFrom('feedback')
    .select(['verdict', 'label', 'comment', 'at', 'by'])
    .where('prediction', '=', prediction)
    .orderBy('seq', 'desc')
    .execute()
}
