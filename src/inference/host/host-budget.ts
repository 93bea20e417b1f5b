// Which loaded versions to end so that all hosts together keep within their memory. Pure.
import type { Role } from '../served-version.ts'

export interface BudgetEntry {
  readonly role: Role
  readonly rssBytes: number
  readonly leases: number
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number
}

/**
 * The entries to end, longest unused first, until the rest fits `budgetBytes`. An active version, a challenger, a candidate and one
 * that a request holds are never among them, even when the budget cannot be kept.
 */
export function chooseToEnd<T extends BudgetEntry>(
  entries: readonly T[],
  budgetBytes: number,
): T[] {
  let total = entries.reduce((sum, entry) => sum + entry.rssBytes, 0)
  const idle = entries
    .filter(({ role, leases }) => leases === 0 && (role === 'previous' || role === 'requested'))
    .toSorted((a, b) => a.lastUsedAt - b.lastUsedAt)
  const ended: T[] = []
  for (const entry of idle) {
    if (total <= budgetBytes) break
    total -= entry.rssBytes
    ended.push(entry)
  }
  return ended
}
