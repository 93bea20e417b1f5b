// Work that nobody waits for: it is begun by a request and goes on after the answer. Kept track of, so that a home is
// closed only when all of it has ended.
import type { Log } from './log.ts'

export class BackgroundTasks {
  readonly #log: Log
  readonly #running = new Set<Promise<void>>()
  #stopped = false

  constructor(log: Log) {
    this.#log = log
  }

  /** Begins it, unless the home is being closed. A failure is logged. Long work watches `leaving`. */
  run(what: string, work: () => Promise<unknown>): void {
    if (this.#stopped) return
    const task = work().then(
      () => undefined,
      (error: unknown) => {
        if (!this.#stopped) this.#log.error({ err: error }, `${what} failed`)
      },
    )
    this.#running.add(task)
    void task.then(() => this.#running.delete(task))
  }

  /** Resolves when everything begun so far has ended. */
  async whenIdle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Begins nothing more and waits for the rest. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.whenIdle()
  }
}
