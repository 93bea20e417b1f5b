// What becomes of a job: after its work has ended, whichever way, and after the process that did the work was lost.
import type { RegistryLog } from '../../registry/home/registry-context.ts'
import type { Job, Transition } from '../../registry/jobs/job-store.ts'
import { asAppError } from '../problem.ts'
import { Interrupted, type JobKind, TryLater } from './job-kind.ts'
import type { Ended } from './running-job.ts'

type Change = Omit<Transition, 'at' | 'from'>

const MINUTE_MS = 60_000

export async function afterWork(
  ended: Ended,
  o: {
    readonly job: Job
    readonly kind: JobKind
    readonly now: Date
    readonly log: RegistryLog
  },
): Promise<Change> {
  const { job, kind } = o
  const endedAt = o.now.toISOString()
  if (ended.by === 'work') {
    const { reason = null, detail } = ended.outcome
    return { state: 'finished', reason, endedAt, ...(detail && { detail }) }
  }
  if (ended.by === 'error') return failed(ended.error, o)
  if (ended.by === 'cancelled') return { state: 'cancelled', reason: 'Cancelled by user.', endedAt }
  if (ended.by === 'stopping') return stopped(job, { kind, endedAt })
  const why =
    ended.by === 'stalled'
      ? `It made no progress for ${readable(kind.stallLimitMs ?? 0)} and was ended`
      : `It took longer than ${readable(kind.timeLimitMs ?? 0)} and was ended`
  o.log.warn({ job: job.id, kind: kind.name }, why)
  if (!isResumable(kind)) return { state: 'failed', reason: `${why}.`, endedAt }
  return { state: 'interrupted', reason: await words(job, { kind, why }) }
}

/** Undefined: it stays as it is. */
export async function afterLoss(job: Job, kind: JobKind): Promise<Change | undefined> {
  const endedAt = new Date().toISOString()
  const why = 'The server stopped during the job'
  if (!kind.keepsInput) {
    return { state: 'interrupted', reason: await words(job, { kind, why }), endedAt }
  }
  if (job.state === 'queued') return undefined
  const known = await kind.recover?.(job)
  if (known) return { state: 'finished', reason: known.reason ?? null, endedAt }
  if (isResumable(kind)) {
    // One that was held back before it was ever begun is still held back.
    if (job.state === 'paused' && (job.attempt === 0 || kind.afterRestart === 'resume'))
      return undefined
    if (kind.afterRestart === 'resume' && job.attempt < kind.maxAttempts) {
      return { state: 'queued', reason: `${why}; it resumes from the last checkpoint.` }
    }
    return { state: 'interrupted', reason: await words(job, { kind, why }) }
  }
  if (job.attempt >= kind.maxAttempts) {
    const reason = `Roentgen ended ${job.attempt} times while it ran; it is not begun again.`
    return { state: 'failed', reason, endedAt }
  }
  return { state: 'queued', reason: `${why}; it is begun again.` }
}

async function failed(
  error: unknown,
  { job, kind, now, log }: Parameters<typeof afterWork>[1],
): Promise<Change> {
  const endedAt = now.toISOString()
  if (error instanceof TryLater) {
    const wait = kind.retryWaitMs?.(job.attempt)
    if (wait === undefined) return { state: 'failed', reason: error.message, endedAt }
    const dueAt = new Date(now.getTime() + wait).toISOString()
    return { state: 'queued', reason: error.message, dueAt }
  }
  if (error instanceof Interrupted) {
    const why = error.message.replace(/\.$/, '')
    log.warn({ err: error.cause, job: job.id, kind: kind.name }, why)
    return error.resumesNow
      ? { state: 'queued', reason: `${why}; it resumes from the last checkpoint.` }
      : { state: 'interrupted', reason: await words(job, { kind, why }) }
  }
  const known = asAppError(error)
  if (known.code === 'internal') {
    log.error({ err: error, job: job.id, kind: kind.name }, 'a job failed')
  }
  return { state: 'failed', reason: known.message, endedAt }
}

/** An orderly end of the server is no attempt that failed. */
async function stopped(
  job: Job,
  { kind, endedAt }: { kind: JobKind; endedAt: string },
): Promise<Change> {
  const why = 'The server was stopped during the job'
  if (kind.afterRestart === 'continue' || kind.afterRestart === 'again') {
    return { state: 'queued', reason: `${why}; it is begun again.`, attempt: job.attempt - 1 }
  }
  if (kind.afterRestart === 'resume') {
    return job.state === 'paused'
      ? { state: 'paused', reason: 'Paused by user.' }
      : { state: 'queued', reason: `${why}; it resumes from the last checkpoint.` }
  }
  const reason = await words(job, { kind, why })
  if (kind.afterRestart === 'wait') return { state: 'interrupted', reason }
  return { state: 'interrupted', reason, endedAt }
}

async function words(job: Job, { kind, why }: { kind: JobKind; why: string }): Promise<string> {
  return (await kind.interruptedWords?.(job, why)) ?? `${why}.`
}

function isResumable({ afterRestart }: JobKind): boolean {
  return afterRestart === 'wait' || afterRestart === 'resume'
}

function readable(ms: number): string {
  const minutes = ms / MINUTE_MS
  if (minutes < 1) return `${Number((ms / 1000).toFixed(1))} seconds`
  if (minutes < 120) return `${Math.round(minutes)} minutes`
  return `${Math.round(minutes / 60)} hours`
}
