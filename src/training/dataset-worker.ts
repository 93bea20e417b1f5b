// The process that scans or prepares one dataset: takes a job from its parent, reports, and ends. When the parent goes
// away it ends too; what it had begun to write is not taken for whole.
import { isAppError, messageOf } from '../errors.ts'
import type { Preparation } from '../registry/datasets.ts'
import { inspectDataset } from './dataset/inspect.ts'
import type { PreparedIndex } from './dataset/prepared.ts'
import type { DatasetJob, DatasetMessage } from './dataset-job.ts'
import { preparedFolder, prepareOnce } from './prepare-once.ts'

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
  const { dir, name, preprocessing, seed, maxPerClass, exclude, condition } = job
  const choice = {
    preprocessing,
    seed,
    exclude,
    ...(condition && { classes: condition.classes }),
    ...(maxPerClass !== null && { maxPerClass }),
  }
  const outDir = preparedFolder(job.place, choice)
  return preparationOf(job, await prepareOnce({ ...choice, dir, name, outDir, onProgress }))
}

function preparationOf(job: PrepareJob, index: PreparedIndex): Preparation {
  const splits: Record<string, Record<string, number>> = {}
  for (const { split, classes } of index.images) {
    const counts = splits[split] ?? {}
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

async function work(job: DatasetJob): Promise<void> {
  try {
    const report = await (job.kind === 'scan'
      ? inspectDataset({ dir: job.dir, onProgress })
      : prepare(job))
    await finish({ type: 'done', report })
  } catch (error) {
    if (!isAppError(error)) console.error(error)
    const code = isAppError(error) ? error.code : 'internal'
    const message = isAppError(error)
      ? error.message
      : `It met an unexpected error: ${messageOf(error).split('\n')[0]}`
    await finish({ type: 'failed', code, message })
  }
}

process.on('message', (job: DatasetJob) => void work(job))
process.on('disconnect', () => process.exit())
