// The process that scans or prepares one dataset: takes a job from its parent, reports, and ends. When the parent goes
// away it ends too; what it had begun to write is not taken for whole.
import { isAppError, messageOf } from '../../errors.ts'
import type { Preparation } from '../../registry/runs/datasets.ts'
import type { LabelCheck } from '../../registry/runs/label-check.ts'
import type { DatasetJob, DatasetMessage } from './dataset-job.ts'
import { inspectDataset } from './inspect.ts'
import { preparedFolder, prepareOnce } from './prepare-once.ts'
import { openPrepared, type PreparedIndex } from './prepared.ts'

const LISTED = 200

type PrepareJob = Extract<DatasetJob, { kind: 'prepare' }>

function send(message: DatasetMessage): void {
  if (process.connected) process.send?.(message)
}

let reported = 0
function onProgress(done: number, total: number): void {
  if (done < total && performance.now() - reported < 200) return
  reported = performance.now()
  send({ type: 'progress', done, total })
}

async function prepare(job: PrepareJob): Promise<Preparation> {
  return preparationOf(job, await prepareIn(job))
}

type Choice = Omit<PrepareJob, 'kind'>

function folderOf(job: Choice): string {
  return preparedFolder(job.place, choiceOf(job))
}

function prepareIn(job: Choice): Promise<PreparedIndex> {
  const { dir, name } = job
  return prepareOnce({ ...choiceOf(job), dir, name, outDir: folderOf(job), onProgress })
}

/** The features of a version on every image; prepared as that version wants them, if they are not yet. */
async function look(job: Extract<DatasetJob, { kind: 'labels' }>): Promise<LabelCheck> {
  await prepareIn(job)
  const prepared = await openPrepared(folderOf(job))
  try {
    const { checkLabels } = await import('../label-check/check-labels.ts')
    return await checkLabels({ ...job, prepared, onProgress })
  } finally {
    prepared.close()
  }
}

function choiceOf(choice: Choice) {
  const { preprocessing, seed, maxPerClass, exclude, condition, uncertain, positive } = choice
  return {
    preprocessing,
    seed,
    exclude,
    uncertain,
    ...(positive !== null && { positive }),
    ...(condition && { classes: condition.classes }),
    ...(maxPerClass !== null && { maxPerClass }),
  }
}

function preparationOf(job: PrepareJob, index: PreparedIndex): Preparation {
  const splits: Record<string, Record<string, number>> = {}
  for (const { split, classes } of index.images) {
    // A label may be called "constructor".
    const counts: Record<string, number> = splits[split] ?? Object.create(null)
    splits[split] = counts
    for (const k of classes) {
      const label = index.classes[k]?.label ?? ''
      counts[label] = (counts[label] ?? 0) + 1
    }
  }
  const { kind, classes, setAside, duplicates, notes, warnings, fingerprint, testSet } = index
  return {
    kind,
    classes,
    condition: job.condition?.id ?? null,
    seed: job.seed,
    maxPerClass: job.maxPerClass,
    exclude: job.exclude,
    uncertain: job.uncertain,
    imageSize: job.preprocessing.width,
    images: index.images.length,
    splits,
    setAside: { count: setAside.length, files: setAside.slice(0, LISTED) },
    duplicates: duplicates.length,
    notes,
    warnings,
    fingerprint,
    testSet,
  }
}

/** A long report must be through before the channel closes. */
async function finish(message: DatasetMessage): Promise<void> {
  if (process.connected) await new Promise((done) => process.send?.(message, done))
  if (process.connected) process.disconnect()
}

function workOf(job: DatasetJob) {
  if (job.kind === 'scan') return inspectDataset({ dir: job.dir, onProgress })
  return job.kind === 'labels' ? look(job) : prepare(job)
}

async function work(job: DatasetJob): Promise<void> {
  try {
    const report = await workOf(job)
    await finish({ type: 'done', report })
  } catch (error) {
    if (!isAppError(error)) console.error(error)
    const code = isAppError(error) ? error.code : 'internal'
    const message = isAppError(error)
      ? error.message
      : `Unexpected error: ${messageOf(error).split('\n')[0]}`
    await finish({ type: 'failed', code, message })
  }
}

process.on('message', (job: DatasetJob) => void work(job))
process.on('disconnect', () => process.exit())
