// Whether a training process ended for want of memory: killed by the system, by a limit of its container or of ours, or given
// up by itself.
import { readFileSync } from 'node:fs'

const COUNTERS = ['/sys/fs/cgroup/memory.events', '/proc/vmstat']

/** How often the system has killed for want of memory, by each counter that it shows; read again when a process has died. */
export function memoryKills(): readonly number[] {
  return COUNTERS.map((path) => {
    try {
      return Number(/^oom_kill (\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
    } catch {
      return 0
    }
  })
}

export interface Death {
  readonly signal: NodeJS.Signals | null
  /** The last that it printed, or its message. */
  readonly exitReason: string
  readonly killsBefore: readonly number[]
  readonly killsAfter: readonly number[]
}

const HELP = 'choose a smaller batch or image size'

/** What to say of it; undefined when memory had nothing to do with it. */
export function memoryDeath({ signal, exitReason, ...kills }: Death): string | undefined {
  if (
    /heap out of memory|bad_alloc|cannot allocate memory|failed to allocate memory/i.test(
      exitReason,
    )
  ) {
    return `The training process ran out of memory: ${HELP}.`
  }
  if (signal !== 'SIGKILL') return undefined
  const isCounted = kills.killsAfter.some((count, i) => count > (kills.killsBefore[i] ?? 0))
  return isCounted
    ? `Memory ran out and the system killed the training process: ${HELP}.`
    : `The training process was killed, most likely because memory ran out: ${HELP}.`
}

/** It took more than ROENTGEN_TRAINING_MEMORY allows. */
export function overLimit(usedBytes: number, limitBytes: number): string {
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
  return (
    `The training took ${mib(usedBytes)} MiB of memory and may take ${mib(limitBytes)} ` +
    `(ROENTGEN_TRAINING_MEMORY): ${HELP}.`
  )
}
