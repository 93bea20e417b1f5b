// What a person should know of or decide about this home, as sentences: pages, /readyz and doctor show them until it is
// settled. In memory: whoever found it finds it again at the next start.
import type { Db } from '../schema/database.ts'

export interface Warning {
  /** `pointer pneumonia`: one thing has one warning. */
  readonly key: string
  readonly sentence: string
}

const byHome = new WeakMap<Db, Map<string, string>>()

/** True when it was not known before. null: it is settled. */
export function setWarning(db: Db, key: string, sentence: string | null): boolean {
  const warnings = byHome.get(db) ?? new Map<string, string>()
  byHome.set(db, warnings)
  if (sentence === null) return warnings.delete(key)
  const isNew = !warnings.has(key)
  warnings.set(key, sentence)
  return isNew
}

export function hasWarning(db: Db, key: string): boolean {
  return byHome.get(db)?.has(key) ?? false
}

/** In the order in which they came up. */
export function listWarnings(db: Db): readonly Warning[] {
  return [...(byHome.get(db) ?? [])].map(([key, sentence]) => ({ key, sentence }))
}
