// Every dataset that was prepared for a condition, trained with several presets in the queue of the running server, followed
// to the end of the last one. Closing the terminal ends nothing.
import { setTimeout as after } from 'node:timers/promises'
import type { RunSet } from '../../app/runs/run-set.ts'
import { AppError } from '../../errors.ts'
import type { Dataset } from '../../registry/runs/datasets.ts'
import { ENDED, type Run } from '../../registry/runs/runs.ts'
import type { Api } from '../api.ts'
import { startProgress } from '../progress.ts'

const LOOK_AGAIN_MS = 1000
const STEPS = 1000

export interface TogetherOptions {
  readonly architecture: string
  readonly presets: readonly string[]
  readonly hyperparameters: Readonly<Record<string, unknown>>
}

/** @throws AppError `dataset-not-prepared`, and as the server refuses */
export async function trainTogether(
  api: Api,
  o: { readonly wishes: TogetherOptions; readonly quiet: boolean },
): Promise<RunSet> {
  const { architecture, presets, hyperparameters } = o.wishes
  const { items } = await api.json<{ items: Dataset[] }>('/api/v1/datasets')
  const ready = items.filter(({ prepared }) => prepared?.condition)
  if (ready.length === 0) {
    throw new AppError(
      'dataset-not-prepared',
      'Dataset not prepared: none was prepared for a condition; see "roentgen dataset prepare --help".',
    )
  }
  const body = {
    ...{ dataset: ready.map(({ id }) => id), architecture, preset: presets, hyperparameters },
  }
  const { runs, set } = await api.json<{ runs: Run[]; set: string }>('/api/v1/runs', { body })
  const progress = startProgress('training', { quiet: o.quiet })
  progress.say(
    `Queued ${runs.length} runs in the running server; they continue after this command ends.`,
  )
  const told = new Set<string>()
  try {
    for (;;) {
      const now = await api.json<RunSet>(`/api/v1/run-sets/${set}`)
      for (const { run } of now.runs) {
        if (!ENDED.includes(run.state) || told.has(run.id)) continue
        told.add(run.id)
        progress.say(`${run.condition}, ${run.preset}: ${run.state}, ${run.version ?? run.reason}`)
      }
      const left = now.etaSeconds === null ? '' : `, ${Math.ceil(now.etaSeconds / 60)} min left`
      const note = `${now.ended} of ${now.runs.length} finished${left}`
      progress.update(Math.round(now.done * STEPS), STEPS, note)
      if (now.ended === now.runs.length) return now
      await after(LOOK_AGAIN_MS)
    }
  } finally {
    progress.end()
  }
}
