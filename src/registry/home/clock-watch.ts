// Is the clock to be believed? What leaves by the clock waits for a person when time has jumped since it was last looked at, or
// since the newest row where nobody looked: a clock that is wrong by two months would forget everything at one start.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../package/durable-files.ts'
import type { Db } from '../schema/database.ts'
import type { Clock, RegistryContext } from './registry-context.ts'
import { setWarning } from './warnings.ts'

const DAY_MS = 24 * 60 * 60_000
/** A server may have been off for a few days. */
const MAX_JUMP_MS = 7 * DAY_MS
/** So much may leave at once although time has jumped. */
const MAX_SHARE = 0.05

const StateSchema = z.object({
  /** When a clock that was believed was last looked at. */
  seenAt: z.iso.datetime(),
  /** What it showed when it had jumped; null: it is believed. */
  jumpedTo: z.iso.datetime().nullable(),
})
type State = z.infer<typeof StateSchema>

type Place = Pick<RegistryContext, 'db' | 'store' | 'log'> & { readonly clock: Clock }

/** True when nothing may leave by the clock now. Remembered over restarts until the clock is back or confirmed. */
export async function isClockDoubted(place: Place): Promise<boolean> {
  const { db, store, log } = place
  const now = place.clock()
  const before = await stateOf(store.dataDir, db)
  const jumpedTo = await judged(db, { before, now })
  if (jumpedTo === null) {
    await write(store.dataDir, { seenAt: now.toISOString(), jumpedTo })
    setWarning(db, 'clock', null)
    return false
  }
  await write(store.dataDir, { seenAt: before?.seenAt ?? now.toISOString(), jumpedTo })
  const share = await expiring(db, now)
  const sentence = `The clock shows ${now.toISOString().slice(0, 10)}, and before that it was ${before?.seenAt.slice(0, 10)}. Until somebody confirms the clock nothing is forgotten by it: ${share.expired} of ${share.all} predictions would be, and what is in the bin for its time. If the clock is wrong, set it right; if it is right, confirm it here or with "roentgen doctor --confirm-clock".`
  if (setWarning(db, 'clock', sentence)) log.warn({ ...before, now }, 'the clock has jumped')
  return true
}

/** A person says that it is right. */
export async function confirmClock(place: Place): Promise<void> {
  await write(place.store.dataDir, { seenAt: place.clock().toISOString(), jumpedTo: null })
  setWarning(place.db, 'clock', null)
}

async function judged(
  db: Db,
  { before, now }: { before: State | undefined; now: Date },
): Promise<string | null> {
  if (!before) return null
  const jumped = now.getTime() - Date.parse(before.seenAt) > MAX_JUMP_MS
  if (!jumped) return null
  if (before.jumpedTo !== null) return before.jumpedTo
  const { expired, all, binned } = await expiring(db, now)
  const isMuch = expired > Math.max(1, all * MAX_SHARE) || binned > 0
  return isMuch ? now.toISOString() : null
}

async function expiring(
  db: Db,
  now: Date,
): Promise<{ expired: number; all: number; binned: number }> {
  const count = async (query: Promise<{ count: number } | undefined>): Promise<number> =>
    (await query)?.count ?? 0
  const predictions = db
    .selectFrom('predictions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
  return {
    all: await count(predictions.executeTakeFirst()),
    expired: await count(
      predictions.where('expires_at', '<=', now.toISOString()).executeTakeFirst(),
    ),
    binned: await count(
      db
        .selectFrom('versions')
        .where('status', '=', 'deleted')
        .where('emptied_at', 'is', null)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirst(),
    ),
  }
}

/** As it was kept, else from the newest row; undefined in a new home. */
async function stateOf(dataDir: string, db: Db): Promise<State | undefined> {
  const text = await readFile(pathOf(dataDir), 'utf8').catch(() => '')
  const kept = StateSchema.safeParse(parseJson(text))
  if (kept.success) return kept.data
  const newest = await Promise.all([
    db
      .selectFrom('predictions')
      .select((eb) => eb.fn.max('at').as('at'))
      .executeTakeFirst(),
    db
      .selectFrom('activations')
      .select((eb) => eb.fn.max('at').as('at'))
      .executeTakeFirst(),
    db
      .selectFrom('changes')
      .select((eb) => eb.fn.max('at').as('at'))
      .executeTakeFirst(),
  ])
  const at = newest
    .flatMap((row) => row?.at ?? [])
    .sort()
    .at(-1)
  return at === undefined ? undefined : { seenAt: new Date(at).toISOString(), jumpedTo: null }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const pathOf = (dataDir: string): string => join(dataDir, 'clock.json')

/** A full disk costs only that it is judged by an older look. */
async function write(dataDir: string, state: State): Promise<void> {
  await writeFileDurably(pathOf(dataDir), `${JSON.stringify(state)}\n`, { mode: 0o600 }).catch(
    () => {},
  )
}
