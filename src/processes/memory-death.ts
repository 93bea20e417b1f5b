// Whether a training process ended for want of memory: killed by the kernel, by a limit of ours, or given up by itself.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const OF_SYSTEM = '/proc/vmstat'
const CGROUPS = '/sys/fs/cgroup'

/**
 * How often the kernel has killed for want of memory, read again when a process has died: by the counter of the group that
 * this process is in, or by that of the whole system where no group has one. Empty where the system shows neither.
 */
export function memoryKills(): readonly number[] {
  const counters = [...groupCounters(), OF_SYSTEM]
  const [count] = counters.flatMap(readCount)
  return count === undefined ? [] : [count]
}

/** Of the one hierarchy of cgroup 2, and of the memory controller of cgroup 1; in a container its own root. */
function groupCounters(): readonly string[] {
  const lines = readText('/proc/self/cgroup').split('\n')
  const ofGroups = lines.flatMap((line) => {
    const [, controllers, path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers === '') return [join(CGROUPS, path, 'memory.events')]
    const isMemory = controllers?.split(',').includes('memory') ?? false
    return isMemory ? [join(CGROUPS, 'memory', path, 'memory.oom_control')] : []
  })
  return [...ofGroups, join(CGROUPS, 'memory.events')]
}

function readCount(path: string): readonly number[] {
  const count = /^oom_kill (\d+)$/m.exec(readText(path))?.[1]
  return count === undefined ? [] : [Number(count)]
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export interface Death {
  readonly signal: NodeJS.Signals | null
  /** The last that it printed, or its message. */
  readonly exitReason: string
  readonly killsBefore: readonly number[]
  readonly killsAfter: readonly number[]
}

const HELP = 'choose a smaller batch or image size'

/** What to say of it; undefined when memory had nothing to do with it. Anybody can send SIGKILL: only the kernel's counter says memory. */
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
    : undefined
}

/** It took more than ROENTGEN_TRAINING_MEMORY allows. */
export function overLimit(usedBytes: number, limitBytes: number): string {
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
  return (
    `The training took ${mib(usedBytes)} MiB of memory and may take ${mib(limitBytes)} ` +
    `(ROENTGEN_TRAINING_MEMORY): ${HELP}.`
  )
}
