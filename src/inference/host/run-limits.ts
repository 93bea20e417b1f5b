// How long a run may take and how much memory a host may hold, from what its first run on this machine took. Pure.

/** Times as long as the first run, which was the slowest in a healthy life: it allocated what later ones use. */
const FACTOR = 20
const MIN_RUN_MS = 2000
/** Runs of an occlusion come one after the other, on a machine that may be busier than it was. */
const PATCH_FACTOR = 4
/** After its caller has gone. */
const ABANDONED_FACTOR = 4
const MIN_ABANDONED_MS = 1000

const MIB = 2 ** 20
/** A small budget ends what is idle; it does not make a single host impossible. */
const MIN_HOST_BYTES = 512 * MIB
const GROWTH_FACTOR = 4
const MIN_GROWTH_BYTES = 512 * MIB

export interface RunLimits {
  readonly runMs: number
  /** A run that nobody waits for any more is ended when it has taken this long. */
  readonly abandonedMs: number
  /** All rows of an occlusion together. */
  readonly maskedMs: (patches: number) => number
}

/** @param firstRunMs undefined before it @param maxMs nothing that is not an occlusion takes longer */
export function runLimits(firstRunMs: number | undefined, maxMs: number): RunLimits {
  if (firstRunMs === undefined) {
    return { runMs: maxMs, abandonedMs: maxMs, maskedMs: () => maxMs }
  }
  const runMs = Math.min(maxMs, Math.max(MIN_RUN_MS, FACTOR * firstRunMs))
  return {
    runMs,
    abandonedMs: Math.min(runMs, Math.max(MIN_ABANDONED_MS, ABANDONED_FACTOR * firstRunMs)),
    maskedMs: (patches) => runMs + PATCH_FACTOR * firstRunMs * patches,
  }
}

/** What a host may hold while it loads and runs for the first time. @param budgetBytes of all hosts */
export function firstMemoryLimit(budgetBytes: number): number {
  return Math.max(MIN_HOST_BYTES, budgetBytes)
}

/** Later runs need what the first did; several times that is a fault of the model. */
export function memoryLimit(loadedBytes: number, budgetBytes: number): number {
  const grown = Math.max(GROWTH_FACTOR * loadedBytes, loadedBytes + MIN_GROWTH_BYTES)
  return Math.min(firstMemoryLimit(budgetBytes), grown)
}
