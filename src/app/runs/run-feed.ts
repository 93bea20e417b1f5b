// Events of a job as those of its training run: `state`, `epoch`, `batch` and `log`, with the state as a run has it.
import type { JobState } from '../../registry/jobs/job-store.ts'
import type { Run } from '../../registry/runs/runs.ts'
import type { RunState } from '../../registry/schema/states.ts'
import type { FeedEvent } from '../jobs/job-feed.ts'

export interface RunEvent {
  /** `<seq>` of a kept event; `<seq>.<n>` of a batch, which is only shown while it happens. */
  readonly id: string
  readonly type: 'state' | 'epoch' | 'batch' | 'log'
  readonly data: unknown
}

/** Of the event of a job; more where the run knows more. */
interface StateOfJob {
  readonly state: JobState
  readonly reason: string | null
  readonly detail?: { readonly state?: RunState; readonly phase?: string | null }
}

/** Undefined for what only a job tells. */
export function runEvent(
  { id, type, data }: Pick<FeedEvent, 'id' | 'type' | 'data'>,
  { version, offer }: Pick<Run, 'version' | 'offer'>,
): RunEvent | undefined {
  if (type === 'epoch' || type === 'batch' || type === 'log') return { id, type, data }
  if (type !== 'state') return undefined
  const { state, reason, detail } = data as StateOfJob
  return {
    ...{ id, type },
    data: {
      // Before it says what it does, it prepares.
      state: detail?.state ?? (state === 'running' ? 'preparing' : state),
      reason,
      phase: detail?.phase ?? null,
      version: state === 'finished' ? version : null,
      offer: state === 'failed' ? offer : null,
    },
  }
}
