// What the outside wants of a running training; looked at between batches and between files that are prepared.
import { setTimeout as after } from 'node:timers/promises'
import type { TrainingMessage } from '../job.ts'

export interface Control {
  wish: 'go on' | 'pause' | 'stop' | 'cancel'
  /** Spares the machine: waits for a thermal pause or for its share of rest, and gives the seconds that it took. */
  rest?: () => Promise<number>
}

const LOOK_AGAIN_MS = 50

/** Waits while the machine has to cool or a pause is wished for. @returns the seconds that it took, to be left out of what is reported */
export async function whilePaused(
  control: Control,
  report: (message: TrainingMessage) => void,
): Promise<number> {
  const rested = (await control.rest?.()) ?? 0
  if (control.wish !== 'pause') return rested
  const started = performance.now()
  report({ type: 'paused', paused: true })
  while (control.wish === 'pause') await after(LOOK_AGAIN_MS)
  report({ type: 'paused', paused: false })
  return rested + (performance.now() - started) / 1000
}
