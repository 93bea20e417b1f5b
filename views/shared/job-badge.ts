// The state of a job as a badge, the same on every page.
import type { JobState } from '../../src/registry/jobs/job-store.ts'
import { badge, type Html, type Tone } from './components.ts'

const TONES: Readonly<Record<JobState, Tone>> = {
  queued: 'neutral',
  running: 'accent',
  paused: 'warn',
  interrupted: 'warn',
  cancelled: 'neutral',
  failed: 'bad',
  finished: 'good',
}

export function jobBadge({ state }: { readonly state: JobState }): Html {
  return badge(state, TONES[state])
}
