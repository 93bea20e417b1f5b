// An active.json that could not be written: what it says is old, and is never taken for a person's request. Remembered by
// its content until a write succeeds; the watcher tries again, and people are told.
import { hasWarning, setWarning } from '../home/warnings.ts'
import type { Db } from '../schema/database.ts'

/** By home and condition; undefined where the file could not even be read. */
const contents = new WeakMap<Db, Map<string, string | undefined>>()

const keyOf = (condition: string): string => `pointer ${condition}`

/** True when this is new. `text`: what the file says now. */
export function markStale(db: Db, condition: string, text: string | undefined): boolean {
  const known = contents.get(db) ?? new Map<string, string | undefined>()
  contents.set(db, known.set(condition, text))
  const sentence = `active.json of ${condition} cannot be written and says something old. Requests are answered by what the history says; the write is tried again every few seconds. Check the owner, permissions and free space of the model store.`
  return setWarning(db, keyOf(condition), sentence)
}

export function clearStale(db: Db, condition: string): void {
  contents.get(db)?.delete(condition)
  setWarning(db, keyOf(condition), null)
}

export function isStale(db: Db, condition: string): boolean {
  return hasWarning(db, keyOf(condition))
}

/** True when the file says just what it said when it could not be written. */
export function saysSomethingStale(db: Db, condition: string, text: string): boolean {
  return contents.get(db)?.get(condition) === text
}
