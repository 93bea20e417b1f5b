// A training in the running server: the dataset is scanned and prepared if it was not, the run is queued and followed to
// its end. Closing the terminal ends nothing: the run is the server's.
import { AppError } from '../../errors.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import type { Dataset } from '../../registry/runs/datasets.ts'
import type { Run } from '../../registry/runs/runs.ts'
import { findSynthCondition } from '../../synthetic/conditions.ts'
import { guessClasses } from '../../training/dataset/labels.ts'
import type { Api } from '../api.ts'
import { type Progress, startProgress } from '../progress.ts'
import { eventsOf } from '../sent-events.ts'
import { type BatchFigures, batchNote } from './batch-note.ts'
import { prepare, scan } from './dataset-jobs.ts'

export interface ServerRunOptions {
  readonly condition: string
  readonly bodyPart: string | undefined
  /** Below the data root. */
  readonly path: string
  readonly architecture: string
  readonly preset: string
  readonly hyperparameters: Readonly<Record<string, unknown>>
  readonly name?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly initFrom?: string | undefined
}

/** @throws AppError with the reason when it left no version */
export async function runInServer(
  api: Api,
  { wishes, quiet }: { readonly wishes: ServerRunOptions; readonly quiet: boolean },
): Promise<Run> {
  const dataset = await preparedDataset(api, wishes, quiet)
  const { condition, architecture, preset, hyperparameters, name, tags, initFrom } = wishes
  const queued = await api.json<Run>('/api/v1/runs', {
    body: {
      ...{ condition, dataset: dataset.id, architecture, preset, hyperparameters },
      ...{ name, tags, initFrom },
    },
  })
  const progress = startProgress('training', { quiet })
  progress.say(
    `Queued in the running server as ${queued.id}; it continues after this command ends.`,
  )
  const release = onInterrupt(api, { id: queued.id, progress })
  try {
    await follow(api, { id: queued.id, progress })
  } finally {
    release()
    progress.end()
  }
  const run = await api.json<Run>(`/api/v1/runs/${queued.id}`)
  if (run.state === 'finished') return run
  throw new AppError('conflict', `The run is ${run.state}. ${run.reason ?? ''}`.trim())
}

async function preparedDataset(
  api: Api,
  { path, condition, bodyPart, hyperparameters }: ServerRunOptions,
  quiet: boolean,
): Promise<Dataset> {
  const { items } = await api.json<{ items: Dataset[] }>('/api/v1/datasets')
  const known = items.find((one) => one.path === path)
  const scanned = known?.scan ? known : await scan(api, path, { quiet })
  await ensureCondition(api, { id: condition, bodyPart, scanned })
  if (scanned.prepared) return scanned
  const { imageSize, seed } = hyperparameters as { imageSize?: number; seed?: number }
  return prepare(api, { id: scanned.id, condition, imageSize, seed }, { quiet })
}

/** One that is not there is made from what is known about it, or from the labels of the dataset. */
async function ensureCondition(
  api: Api,
  o: { readonly id: string; readonly bodyPart: string | undefined; readonly scanned: Dataset },
): Promise<void> {
  const conditions = await api.json<Condition[]>('/api/v1/conditions')
  if (conditions.some(({ id }) => id === o.id)) return
  const synthetic = findSynthCondition(o.id)
  const labels = o.scanned.scan?.classes.map(({ label }) => label) ?? []
  const { kind, classes } = synthetic ?? guessClasses(labels, { severalPerImage: false })
  const words = o.id.replace(/[._-]+/g, ' ')
  const name = synthetic?.name ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`
  const bodyPart = o.bodyPart ?? synthetic?.bodyPart ?? ''
  await api.json('/api/v1/conditions', { body: { id: o.id, name, bodyPart, kind, classes } })
}

async function follow(
  api: Api,
  { id, progress }: { readonly id: string; readonly progress: Progress },
): Promise<void> {
  const response = await api.file(`/api/v1/runs/${id}/events`)
  for await (const { event, data } of eventsOf(response)) {
    if (event === 'log') progress.say((data as { text: string }).text)
    if (event === 'batch') {
      const figures = data as unknown as BatchEvent
      const { epoch, epochs, batch, batches } = figures
      progress.update((epoch - 1) * batches + batch, epochs * batches, batchNote(figures))
    }
    if (event === 'state') {
      const { state } = data as { state: string }
      if (state === 'paused' || state === 'interrupted') progress.say(`The run is ${state}.`)
    }
  }
}

interface BatchEvent extends BatchFigures {
  readonly batch: number
  readonly batches: number
}

/** Ctrl-C once: stop and keep the best; again: cancel. Returns what takes the handler away. */
function onInterrupt(api: Api, { id, progress }: { id: string; progress: Progress }): () => void {
  let asked = false
  const act = (what: string): void => {
    api.json(`/api/v1/runs/${id}/${what}`, { method: 'POST' }).catch((error: Error) => {
      progress.say(error.message)
    })
  }
  const interrupt = (): void => {
    if (asked) act('cancel')
    else {
      progress.say('Stopping and keeping the best epoch. Ctrl-C again discards the run.')
      act('stop')
    }
    asked = true
  }
  process.on('SIGINT', interrupt)
  return () => void process.off('SIGINT', interrupt)
}
