// A real store of jobs on a real database, and queues on it that begin and end like processes.
import { rm } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import type { JobKind, JobRun } from '../../src/app/jobs/job-kind.ts'
import { JobQueue } from '../../src/app/jobs/job-queue.ts'
import { createLog } from '../../src/app/log.ts'
import { openRegistry } from '../../src/registry/home/open-registry.ts'
import { sqliteJobStore } from '../../src/registry/jobs/sqlite-job-store.ts'
import { makeTempDir } from './package.ts'

/** Moved by hand. */
export class FakeClock {
  #ms = Date.parse('2026-11-28T12:00:00.000Z')

  readonly now = (): Date => new Date(this.#ms)

  pass(ms: number): void {
    this.#ms += ms
  }
}

export async function jobStore(t: TestContext) {
  const dataDir = await makeTempDir()
  const registry = await openRegistry({ dataDir })
  t.after(async () => {
    await registry.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const store = sqliteJobStore(registry.db)
  const clock = new FakeClock()
  /** As a process that has just begun: settled, and working on all that waits. */
  const begun = async (...kinds: JobKind<never>[]): Promise<JobQueue> => {
    const queue = new JobQueue({ store, clock: clock.now, log: createLog('silent') })
    for (const kind of kinds) queue.kinds.add(kind as JobKind)
    await queue.settle()
    queue.start()
    t.after(() => queue.stop())
    return queue
  }
  return { store, clock, begun, db: registry.db }
}

export function kindOf<Input = unknown>(o: Partial<JobKind<Input>>): JobKind<Input> {
  return {
    ...{ name: 'work', title: 'Work', unit: 'steps', lane: 'work', width: 1 },
    ...{ afterRestart: 'again', isCancellable: true, maxAttempts: 3, keepsInput: true },
    ...{ timeLimitMs: null, stallLimitMs: null, keepMs: null },
    run: async () => undefined,
    ...o,
  }
}

/** Work that heeds its signal and does nothing else. */
export function untilAborted({ signal }: Pick<JobRun<unknown>, 'signal'>): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
}
