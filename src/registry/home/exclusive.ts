// One at a time: work on the same thing of the same registry waits for what began before it.
import type { Db } from '../schema/database.ts'

const queues = new WeakMap<Db, Map<string, Promise<unknown>>>()

/** Placing and removing package folders. */
export const STORE = ' store'

/** Runs `work` once all earlier work under `key` has ended, however it ended. Not re-entrant. */
export function exclusive<T>(
  db: Db,
  { key, work }: { key: string; work: () => Promise<T> },
): Promise<T> {
  const queue = queues.get(db) ?? new Map<string, Promise<unknown>>()
  queues.set(db, queue)
  const before = queue.get(key) ?? Promise.resolve()
  const mine = before.then(work, work)
  const settled = mine.catch(() => undefined)
  queue.set(key, settled)
  void settled.then(() => {
    if (queue.get(key) === settled) queue.delete(key)
  })
  return mine
}
