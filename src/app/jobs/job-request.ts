// What a job is asked for with, and the row that it begins as.
import { randomUUID } from 'node:crypto'
import type { Actor } from '../../registry/home/registry-context.ts'
import type { JobSubject, NewJob } from '../../registry/jobs/job-store.ts'
import type { JobKind } from './job-kind.ts'

export interface JobRequest {
  /** Safe in a URL; a new one by default. */
  readonly id?: string | undefined
  readonly input: unknown
  readonly subject: JobSubject | null
  readonly actor: Actor
  readonly total?: number | undefined
  /** ISO 8601; at once by default. */
  readonly dueAt?: string | undefined
}

/** Of a kind that keeps no input, none is written down. */
export function newJob(
  kind: JobKind,
  { request, at }: { readonly request: JobRequest; readonly at: string },
): NewJob {
  const { id = `jb_${randomUUID()}`, input, subject, actor, total, dueAt = at } = request
  return {
    ...{ id, kind: kind.name, subject, at, dueAt, by: actor.by, via: actor.via },
    input: kind.keepsInput ? input : null,
    progress: total === undefined ? null : { done: 0, total },
  }
}
