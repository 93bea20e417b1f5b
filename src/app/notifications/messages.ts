// What a notification says about a training run or a comparison: a title, a sentence and the facts that matter. Never a path
// of the machine, an image or anything about a patient.
import { count, duration, percent } from '../../../views/shared/format.ts'
import { links } from '../../../views/shared/links.ts'
import type { Message } from '../../registry/notifications/notification-deliveries.ts'
import type { PairedJob } from '../../registry/paired/paired-jobs.ts'
import type { Run } from '../../registry/runs/runs.ts'
import type { Version } from '../../registry/versions/versions.ts'

type Ended<State extends string> = { readonly state: State }

/** `version` is what the run left, if it left one. */
export function runMessage(
  run: Run & Ended<Run['state']>,
  { version, at }: { version: Version | undefined; at: string },
): Message {
  const what = `${run.architecture} on ${run.datasetName}`
  const seconds =
    run.startedAt && run.endedAt && (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000
  const metrics = version?.metrics
  return {
    event: `run.${run.state === 'finished' || run.state === 'cancelled' ? run.state : 'failed'}`,
    title: `Training ${run.state}: ${what}`,
    text: runSentence(run),
    facts: [
      { name: 'Condition', value: run.condition },
      { name: 'Preset', value: run.preset },
      { name: 'Epochs', value: String(run.progress.epoch) },
      ...(seconds ? [{ name: 'Duration', value: duration(seconds) }] : []),
      ...(run.version ? [{ name: 'Version', value: run.version }] : []),
      ...(metrics?.accuracy == null
        ? []
        : [{ name: 'Accuracy', value: percent(metrics.accuracy) }]),
      ...(metrics?.auc == null ? [] : [{ name: 'AUC', value: percent(metrics.auc) }]),
    ],
    path: links.run(run.id),
    at,
  }
}

function runSentence(run: Run): string {
  if (run.state === 'finished') return `Created ${run.version}, evaluated on held-out images.`
  if (run.state === 'cancelled') return 'Cancelled; no version was created.'
  return run.reason ?? 'Ended without a version.'
}

export function comparisonMessage(job: PairedJob, { at }: { at: string }): Message {
  const { a, b, state, summary } = job
  return {
    event: state === 'finished' ? 'comparison.finished' : 'comparison.failed',
    title: `Comparison ${state}: ${a} and ${b}`,
    text:
      state === 'finished'
        ? `Compared on ${count(job.done, 'image')} of ${job.folder ?? 'earlier predictions'}.`
        : (job.reason ?? 'Ended without a result.'),
    facts: [
      { name: 'Condition', value: job.condition },
      ...(summary?.agreement == null
        ? []
        : [{ name: 'Same decision', value: percent(summary.agreement) }]),
    ],
    path: links.abJob(job.id),
    at,
  }
}

/** To see whether a target works. */
export function testMessage(name: string, at: string): Message {
  return {
    event: 'test',
    title: 'Roentgen test notification',
    text: `This is a test of the notification "${name}". Nothing has happened.`,
    facts: [],
    path: links.notifications,
    at,
  }
}
