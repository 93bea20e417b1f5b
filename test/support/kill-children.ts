// Ends child processes of this one at the very moment that matters, without looking for them or waiting: Node tells of each
// process that is made.
import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TestContext } from 'node:test'

export interface Killing {
  /** How many were killed. */
  readonly kills: number
  stop(): void
}

/** Until it is stopped, `max` were killed or the test ends. `first message`: after whoever made the process has heard it. */
export function killChildren(
  t: TestContext,
  o: {
    readonly which: (child: ChildProcess) => boolean
    readonly when: 'spawned' | 'first message'
    readonly max?: number
    readonly signal?: NodeJS.Signals
  },
): Killing {
  const { max = Number.POSITIVE_INFINITY, signal = 'SIGKILL' } = o
  let kills = 0
  const kill = (child: ChildProcess): void => {
    if (kills >= max || !isOn) return
    kills += 1
    child.kill(signal)
  }
  const hear = (message: unknown): void => {
    const child = (message as { process: ChildProcess }).process
    child.once('spawn', () => {
      if (!o.which(child)) return
      if (o.when === 'spawned') kill(child)
      else child.once('message', () => kill(child))
    })
  }
  let isOn = true
  const stop = (): void => {
    isOn = false
    unsubscribe('child_process', hear)
  }
  subscribe('child_process', hear)
  t.after(stop)
  return {
    get kills() {
      return kills
    },
    stop,
  }
}
