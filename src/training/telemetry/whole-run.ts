// Times of a run that was interrupted and resumed: from its first start, with what its earlier parts took.
import type { JournalRecord } from './journal.ts'

export interface RunTimes {
  readonly startedAt: Date
  /** Seconds of each phase. */
  readonly phases: Readonly<Record<string, number>>
}

/** `own` are those of the last part, which it measured itself; earlier ones are known to a sample or two. */
export function wholeRun({ starts, samples }: JournalRecord, own: RunTimes): RunTimes {
  const [first] = starts
  const last = starts.at(-1)
  if (first === undefined || last === undefined || starts.length < 2) return own
  const phases: Record<string, number> = { ...own.phases }
  const from = Date.parse(last)
  for (const { at, phase, seconds } of samples) {
    if (Date.parse(at) < from) phases[phase] = (phases[phase] ?? 0) + seconds
  }
  return { startedAt: new Date(first), phases }
}
