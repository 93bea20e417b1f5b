// What a challenge has shown: images with predictions of both versions, where they differ, and, where readers have said
// what an image shows, which of the two was right more often. An image counts once, however often it was sent.
import { sql } from 'kysely'
import {
  cohenKappa,
  type LabelPair,
  type McNemar,
  mcnemar,
} from '../../statistics/paired-statistics.ts'
import type { Prediction } from '../predictions/predictions.ts'
import type { Db } from '../schema/database.ts'

export interface Challenge {
  readonly id: string
  readonly condition: string
  /** The challenger. */
  readonly version: string
  readonly sha256: string
  readonly mode: 'shadow' | 'split'
  readonly share: number | null
  readonly startedAt: string
  /** null while it runs. */
  readonly endedAt: string | null
  readonly by: string
  /** What the rule of the condition did with it; null while it did nothing. */
  readonly promotion: {
    readonly outcome: 'promoted' | 'refused'
    readonly activation: string
  } | null
}

export interface PairRead {
  readonly challenge: string
  /** As the active version gave it. */
  readonly prediction: Prediction
  /** What the challenger says about the same image. */
  readonly challenger: Pick<Prediction, 'classes' | 'decision'>
  readonly at: string
}

export interface Disagreement {
  /** The prediction that was given out; it may have expired since. */
  readonly prediction: string
  readonly at: string
  readonly activeLabel: string
  readonly challengerLabel: string
  /** The class whose calibrated probabilities follow. */
  readonly label: string
  readonly activeP: number
  readonly challengerP: number
  /** What a reader says; null while nobody has. */
  readonly truth: string | null
}

/** What became of the requests that one of the two answered since the challenge began. */
export interface Arm {
  readonly version: string
  readonly role: 'active' | 'challenger'
  readonly predictions: number
  /** Newest verdict on each different image. */
  readonly agree: number
  readonly disagree: number
  readonly unsure: number
}

export interface ChallengerEvidence {
  readonly challenge: Challenge
  /** The version that it is compared with: the one that answers now. */
  readonly active: string
  /** Different images with a prediction of both. */
  readonly pairs: number
  /** Fraction with the same decision; null without pairs. */
  readonly agreement: number | null
  readonly kappa: number | null
  /** Mean |active - challenger| of the calibrated probability of the class that the active version decided for. */
  readonly meanGap: number | null
  readonly decisions: readonly LabelPair[]
  /** Newest first, at most fifty. */
  readonly disagreements: readonly Disagreement[]
  readonly disagreementCount: number
  /** Where readers said what the image shows; a: the active version. */
  readonly truth: {
    readonly n: number
    readonly activeRight: number
    readonly challengerRight: number
    /** Accuracy of the challenger minus that of the active version; null without such images. */
    readonly accuracyDifference: number | null
    readonly mcnemar: McNemar
  }
  /** With `split`. */
  readonly arms: readonly Arm[] | null
}

const SHOWN = 50

/** The challenge that runs; undefined when nobody challenges. */
export async function findChallenge(db: Db, condition: string): Promise<Challenge | undefined> {
  const row = await db
    .selectFrom('challenges')
    .selectAll()
    .where('condition', '=', condition)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (!row) return undefined
  const { id, version, sha256, mode, share, by } = row
  const times = { startedAt: row.started_at, endedAt: row.ended_at }
  const promotion = row.promotion && (JSON.parse(row.promotion) as Challenge['promotion'])
  return { id, condition, version, sha256, mode, share, by, promotion: promotion || null, ...times }
}

/** Two predictions of one image. Kept when image and prediction have gone: it is numbers and labels only. */
export async function storePair(db: Db, pair: PairRead): Promise<void> {
  const { prediction, challenger } = pair
  const { label } = prediction.decision
  const of = (classes: Prediction['classes'], name: string): number =>
    classes.find((one) => one.label === name)?.probability ?? 0
  const classes = prediction.classes.map((one) => ({
    label: one.label,
    active: one.probability,
    challenger: of(challenger.classes, one.label),
  }))
  await db
    .insertInto('challenger_pairs')
    .values({
      challenge: pair.challenge,
      prediction: prediction.id,
      image: prediction.image.sha256,
      at: pair.at,
      active_version: prediction.version,
      active_label: label,
      challenger_label: challenger.decision.label,
      label,
      active_p: of(prediction.classes, label),
      challenger_p: of(challenger.classes, label),
      classes: JSON.stringify(classes),
      truth: null,
    })
    .execute()
}

/** What a reader says that the image of a prediction shows; null takes it back. */
export async function noteTruth(
  db: Db,
  { prediction, truth }: { prediction: string; truth: string | null },
): Promise<void> {
  await db
    .updateTable('challenger_pairs')
    .where('prediction', '=', prediction)
    .set({ truth })
    .execute()
}

/**
 * One pair an image, however often it was sent: a copy is no further case. Of several that with reader feedback counts, the
 * newest of them. Whose image it is, is known nowhere here, so two images of one patient are two.
 */
function uniquePairs(db: Db, { challenge, active }: { challenge: Challenge; active: string }) {
  const ranked = db
    .selectFrom('challenger_pairs')
    .selectAll()
    .select(
      sql<number>`row_number() over (partition by image order by truth is null, seq desc)`.as(
        'place',
      ),
    )
    .where('challenge', '=', challenge.id)
    .where('active_version', '=', active)
  return db.selectFrom(ranked.as('pair')).where('place', '=', 1)
}

/** Against the version that answers now. */
export async function challengerEvidence(
  db: Db,
  { challenge, active }: { challenge: Challenge; active: string },
): Promise<ChallengerEvidence> {
  const pairs = uniquePairs(db, { challenge, active })
  const groups = await pairs
    .select(['active_label as a', 'challenger_label as b', 'truth'])
    .select((eb) => [
      eb.fn.countAll<number>().as('n'),
      sql<number>`sum(abs(active_p - challenger_p))`.as('gap'),
    ])
    .groupBy(['active_label', 'challenger_label', 'truth'])
    .execute()
  const different = await pairs
    .select(['prediction', 'at', 'active_label as activeLabel', 'label', 'truth'])
    .select(['challenger_label as challengerLabel', 'active_p as activeP'])
    .select('challenger_p as challengerP')
    .whereRef('active_label', '<>', 'challenger_label')
    .orderBy('seq', 'desc')
    .limit(SHOWN)
    .execute()
  const count = (which: (group: (typeof groups)[number]) => boolean): number =>
    groups.filter(which).reduce((sum, { n }) => sum + n, 0)
  const total = count(() => true)
  const agreeing = count(({ a, b }) => a === b)
  const known = count(({ truth }) => truth !== null)
  const activeRight = count(({ a, truth }) => a === truth)
  const challengerRight = count(({ b, truth }) => b === truth)
  return {
    challenge,
    active,
    pairs: total,
    agreement: total === 0 ? null : agreeing / total,
    kappa: cohenKappa(groups),
    meanGap: total === 0 ? null : groups.reduce((sum, { gap }) => sum + gap, 0) / total,
    decisions: decisionsOf(groups),
    disagreements: different,
    disagreementCount: total - agreeing,
    truth: {
      n: known,
      activeRight,
      challengerRight,
      accuracyDifference: known === 0 ? null : (challengerRight - activeRight) / known,
      mcnemar: mcnemar({
        b: count(({ a, b, truth }) => a === truth && b !== truth),
        c: count(({ a, b, truth }) => a !== truth && b === truth),
      }),
    },
    arms: challenge.mode === 'split' ? await armsOf(db, { challenge, active }) : null,
  }
}

function decisionsOf(groups: readonly LabelPair[]): LabelPair[] {
  const table = new Map<string, LabelPair>()
  for (const { a, b, n } of groups) {
    const key = JSON.stringify([a, b])
    table.set(key, { a, b, n: n + (table.get(key)?.n ?? 0) })
  }
  return [...table.values()].sort((x, y) => y.n - x.n)
}

async function armsOf(
  db: Db,
  { challenge, active }: { challenge: Challenge; active: string },
): Promise<Arm[]> {
  const roles = { active, challenger: challenge.version } as const
  const arms: Arm[] = []
  for (const role of ['active', 'challenger'] as const) {
    const answers = db
      .selectFrom('predictions')
      .where('predictions.condition', '=', challenge.condition)
      .where('predictions.version', '=', roles[role])
      .where('predictions.at', '>=', challenge.startedAt)
      .where(sql`json_extract(predictions.body, '$.role')`, '=', role)
    const { predictions } = await answers
      .select((eb) => eb.fn.countAll<number>().as('predictions'))
      .executeTakeFirstOrThrow()
    const ranked = answers
      .innerJoin('feedback', 'feedback.prediction', 'predictions.id')
      .select('feedback.verdict')
      .select(
        sql<number>`row_number() over (
          partition by json_extract(predictions.body, '$.image.sha256')
          order by feedback.seq desc)`.as('place'),
      )
    const verdicts = await db
      .selectFrom(ranked.as('image'))
      .select('verdict')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('place', '=', 1)
      .groupBy('verdict')
      .execute()
    const of = (verdict: string): number => verdicts.find((one) => one.verdict === verdict)?.n ?? 0
    arms.push({
      version: roles[role],
      role,
      predictions,
      agree: of('agree'),
      disagree: of('disagree'),
      unsure: of('unsure'),
    })
  }
  return arms
}
