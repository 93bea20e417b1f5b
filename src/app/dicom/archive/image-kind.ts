// An image from an archive as a job: one at a time, for the queue of the models is for people first. What fails for now is
// tried again after a growing pause, also after a restart, behind the step that was done last.
import { links } from '../../../../views/shared/links.ts'
import { AppError } from '../../../errors.ts'
import { findArchiveJob, updateArchiveJob } from '../../../registry/archive/archive-jobs.ts'
import type { Shadow } from '../../diagnosis/shadow.ts'
import { type JobKind, TryLater } from '../../jobs/job-kind.ts'
import type { Uses } from '../../services.ts'
import { ARCHIVE_IMAGE } from './intake.ts'
import { type Deliver, processJob } from './process-job.ts'
import type { Spool } from './spool.ts'

export interface ImageKindOptions {
  readonly spool: Spool
  readonly deliver: Deliver
  /** Pause after the first failure; doubled with each. */
  readonly retryMs: number
}

const MAX_ATTEMPTS = 40
const LONGEST_PAUSE_MS = 3_600_000
/** A study to deliver may be large and the archive slow. */
const TIME_LIMIT_MS = 30 * 60_000

export function archiveImageKind(
  services: Uses<
    'config' | 'db' | 'imaging' | 'log' | 'makeReady' | 'metrics' | 'runtime' | 'store'
  > & { readonly shadow: Shadow },
  { spool, deliver, retryMs }: ImageKindOptions,
): JobKind<{ readonly key: string }> {
  const { db, metrics } = services
  return {
    name: ARCHIVE_IMAGE,
    title: 'Image from an archive',
    unit: 'steps',
    afterRestart: 'continue',
    isCancellable: true,
    lane: ARCHIVE_IMAGE,
    width: 1,
    maxAttempts: MAX_ATTEMPTS,
    retryWaitMs: (attempt) =>
      attempt < MAX_ATTEMPTS
        ? Math.min(LONGEST_PAUSE_MS, retryMs * 2 ** Math.min(attempt - 1, 20))
        : undefined,
    timeLimitMs: TIME_LIMIT_MS,
    stallLimitMs: null,
    // Known for ever, so that none is predicted twice.
    keepMs: null,
    keepsInput: true,
    page: () => links.archive,
    async run({ input: { key }, signal }) {
      const job = await findArchiveJob(db, key)
      if (!job) throw new AppError('not-found', 'This image is not known any more.')
      const outcome = await processJob(services, { job, spool, deliver })
      if (outcome.state !== 'done') signal.throwIfAborted()
      if (outcome.state === 'later') throw new TryLater(outcome.detail)
      if (outcome.state === 'failed') throw new AppError('conflict', outcome.detail ?? 'It failed.')
      if (outcome.state === 'skipped') await updateArchiveJob(db, key, { skipped: true })
      return { reason: outcome.detail }
    },
    async onRest({ subject, endedAt }) {
      const job = subject && endedAt !== null && (await findArchiveJob(db, subject.id))
      if (!job) return
      await spool.remove(job.key)
      const labels = { source: job.source, state: job.state }
      metrics.count('roentgen_archive_images_total', 'Images from an archive.', labels)
    },
  }
}
