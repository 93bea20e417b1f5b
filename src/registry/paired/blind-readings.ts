// Blinded readings: two versions read one image, and a reader says first what it shows and then whose reading is better,
// before any name is shown. Votes are rows that never change; here they are kept and counted.
import { randomInt, randomUUID } from 'node:crypto'
import type { Selectable } from 'kysely'
import { AppError } from '../../errors.ts'
import { type McNemar, mcnemar } from '../../statistics/paired-statistics.ts'
import type { Clock } from '../home/registry-context.ts'
import type { Prediction } from '../predictions/predictions.ts'
import type { Db } from '../schema/database.ts'
import type { BlindReadingTable } from '../schema/schema-governance.ts'

export const PREFERENCES = ['a', 'b', 'alike', 'neither'] as const
export type Preference = (typeof PREFERENCES)[number]

export interface BlindReading {
  readonly id: string
  readonly condition: string
  readonly a: { readonly version: string; readonly prediction: string; readonly label: string }
  readonly b: { readonly version: string; readonly prediction: string; readonly label: string }
  /** What is shown first is b: random. */
  readonly isSwapped: boolean
  /** `unread`: nothing of the outputs may be shown; `read`: the outputs, but no names; `voted`: everything. */
  readonly state: 'unread' | 'read' | 'voted'
  /** What the reader saw; null when unsure, or not asked yet. */
  readonly label: string | null
  readonly preference: Preference | null
  readonly by: string | null
  readonly startedAt: string
  readonly votedAt: string | null
}

/** Votes on two versions, counted. `a` comes before `b` in the alphabet, whichever was chosen first. */
export interface BlindTally {
  readonly a: string
  readonly b: string
  readonly votes: number
  readonly preferred: Readonly<Record<Preference, number>>
  /** Of the votes whose reader was sure what the image shows. */
  readonly sure: number
  /** Whose decision was what the reader saw; `b` and `c` of the test: only a, only b. */
  readonly aRight: number
  readonly bRight: number
  readonly mcnemar: McNemar
}

/** @throws AppError `conflict` when both are readings of one version */
export async function beginBlindReading(
  db: Db,
  { a, b, clock }: { a: Prediction; b: Prediction; clock: Clock },
): Promise<string> {
  if (a.version === b.version) {
    throw new AppError('conflict', 'Choose two different versions for a blinded comparison.')
  }
  const id = `bl_${randomUUID()}`
  await db
    .insertInto('blind_readings')
    .values({
      id,
      condition: a.condition,
      a_version: a.version,
      b_version: b.version,
      a_prediction: a.id,
      b_prediction: b.id,
      a_label: a.decision.label,
      b_label: b.decision.label,
      swapped: randomInt(2),
      started_at: clock().toISOString(),
      label: null,
      read_at: null,
      preference: null,
      voted_at: null,
      by: null,
    })
    .execute()
  return id
}

/** @throws AppError `not-found` */
export async function getBlindReading(db: Db, id: string): Promise<BlindReading> {
  const row = await db
    .selectFrom('blind_readings')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (row) return fromRow(row)
  throw new AppError('not-found', 'There is no such blinded comparison.')
}

/** What the reader sees, before any output is shown. null: unsure. @throws AppError `not-found`, `conflict`, `invalid` */
export async function noteOwnReading(
  db: Db,
  o: { id: string; label: string | null; labels: readonly string[]; clock: Clock },
): Promise<BlindReading> {
  const { id, label, labels, clock } = o
  const reading = await getBlindReading(db, id)
  if (reading.state !== 'unread') {
    throw new AppError('conflict', 'Your diagnosis of this image is already saved.')
  }
  if (label !== null && !labels.includes(label)) {
    throw new AppError('invalid', `Your diagnosis must be one of ${labels.join(', ')}.`)
  }
  const read_at = clock().toISOString()
  await db
    .updateTable('blind_readings')
    .where('id', '=', id)
    .where('read_at', 'is', null)
    .set({ label, read_at })
    .execute()
  return getBlindReading(db, id)
}

/** Whose reading is better; then all is shown. @throws AppError `not-found`, `conflict` */
export async function voteBlindly(
  db: Db,
  o: { id: string; preference: Preference; by: string; clock: Clock },
): Promise<BlindReading> {
  const { id, preference, by, clock } = o
  const { state } = await getBlindReading(db, id)
  if (state !== 'read') {
    const message =
      state === 'voted' ? 'Your vote is already saved.' : 'Record your own diagnosis first.'
    throw new AppError('conflict', message)
  }
  const voted_at = clock().toISOString()
  await db
    .updateTable('blind_readings')
    .where('id', '=', id)
    .where('voted_at', 'is', null)
    .set({ preference, by, voted_at })
    .execute()
  return getBlindReading(db, id)
}

/** Of each pair of versions of the condition with votes, most votes first. */
export async function tallyVotes(db: Db, condition: string): Promise<BlindTally[]> {
  const rows = await db
    .selectFrom('blind_readings')
    .selectAll()
    .where('condition', '=', condition)
    .where('voted_at', 'is not', null)
    .execute()
  const pairs = new Map<string, BlindReading[]>()
  for (const reading of rows.map(fromRow).map(inOrder)) {
    const key = `${reading.a.version} ${reading.b.version}`
    pairs.set(key, [...(pairs.get(key) ?? []), reading])
  }
  return [...pairs.values()].map(tallyOf).sort((x, y) => y.votes - x.votes)
}

function tallyOf(readings: readonly BlindReading[]): BlindTally {
  const [first] = readings
  const count = (which: (one: BlindReading) => boolean): number => readings.filter(which).length
  const isSure = ({ label }: BlindReading): boolean => label !== null
  const isRight = (one: BlindReading, side: 'a' | 'b'): boolean => one[side].label === one.label
  return {
    a: first?.a.version ?? '',
    b: first?.b.version ?? '',
    votes: readings.length,
    preferred: {
      a: count((one) => one.preference === 'a'),
      b: count((one) => one.preference === 'b'),
      alike: count((one) => one.preference === 'alike'),
      neither: count((one) => one.preference === 'neither'),
    },
    sure: count(isSure),
    aRight: count((one) => isSure(one) && isRight(one, 'a')),
    bRight: count((one) => isSure(one) && isRight(one, 'b')),
    mcnemar: mcnemar({
      b: count((one) => isSure(one) && isRight(one, 'a') && !isRight(one, 'b')),
      c: count((one) => isSure(one) && !isRight(one, 'a') && isRight(one, 'b')),
    }),
  }
}

/** With the versions in the order of the alphabet. */
function inOrder(reading: BlindReading): BlindReading {
  if (reading.a.version < reading.b.version) return reading
  const other = { a: 'b', b: 'a', alike: 'alike', neither: 'neither' } as const
  const preference = reading.preference && other[reading.preference]
  return { ...reading, a: reading.b, b: reading.a, isSwapped: !reading.isSwapped, preference }
}

function fromRow(row: Selectable<BlindReadingTable>): BlindReading {
  return {
    id: row.id,
    condition: row.condition,
    a: { version: row.a_version, prediction: row.a_prediction, label: row.a_label },
    b: { version: row.b_version, prediction: row.b_prediction, label: row.b_label },
    isSwapped: row.swapped === 1,
    state: row.voted_at !== null ? 'voted' : row.read_at !== null ? 'read' : 'unread',
    label: row.label,
    preference: row.preference,
    by: row.by,
    startedAt: row.started_at,
    votedAt: row.voted_at,
  }
}
