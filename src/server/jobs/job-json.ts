// A job as the API gives it out: one shape for every kind. What only its kind knows lies behind its links.
import type { z } from 'zod'
import { links } from '../../../views/shared/links.ts'
import type { JobKind } from '../../app/jobs/job-kind.ts'
import type { JobQueue } from '../../app/jobs/job-queue.ts'
import { ENDED_STATES, type Job, type JobState } from '../../registry/jobs/job-store.ts'
import type { JobSchema } from './schema.ts'

export type JobJson = z.infer<typeof JobSchema>

export function jobJson(jobs: Pick<JobQueue, 'kinds'>, job: Job): JobJson {
  const kind = jobs.kinds.find(job.kind)
  const { id, state, reason, attempt, subject, createdAt, startedAt, endedAt } = job
  return {
    ...{ id, kind: job.kind, state, reason },
    progress: job.progress && { ...job.progress, unit: kind?.unit ?? 'steps' },
    owner: job.by,
    ...{ attempt, subject, createdAt, startedAt, endedAt },
    links: {
      self: links.jobJson(id),
      events: links.jobEvents(id),
      cancel: isCancellable(job, kind) ? links.jobCancelJson(id) : null,
      page: kind?.page?.(job) ?? null,
    },
  }
}

export function isCancellable(job: Job, kind: JobKind | undefined): boolean {
  return job.endedAt === null && kind?.isCancellable === true
}

/** Whether nothing follows an event of type `state`. */
export function isEnd(data: unknown): boolean {
  const { state, endedAt } = data as { readonly state: JobState; readonly endedAt?: string | null }
  return ENDED_STATES.includes(state) || (endedAt ?? null) !== null
}
