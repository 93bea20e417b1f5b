// Runs that were asked for together, as one thing: how far they are, how long the rest will take, where the time went.
// The estimate goes by what this machine has measured: pure functions over rows of the registry.
import type { Dataset } from '../../registry/runs/datasets.ts'
import { ENDED, type Run } from '../../registry/runs/runs.ts'
import { PRESETS, type Preset } from '../../training/settings.ts'

export interface RunSet {
  readonly id: string
  /** In the order of the queue. */
  readonly runs: readonly RunInSet[]
  /** 0 to 1: ended runs, and what the one under way has done of its epochs. */
  readonly done: number
  readonly ended: number
  /** At most, for early stopping may end a run sooner; null while nothing was measured to estimate by. */
  readonly etaSeconds: number | null
  /** Seconds of each phase, of all runs so far. */
  readonly phases: Readonly<Record<string, number>>
}

export interface RunInSet {
  readonly run: Run
  readonly etaSeconds: number | null
}

export interface Measured {
  readonly datasets: readonly Pick<Dataset, 'id' | 'prepared'>[]
  /** Finished runs of this machine, newest first. */
  readonly finished: readonly Run[]
}

export function summariseSet(id: string, runs: readonly Run[], measured: Measured): RunSet {
  const inSet = runs.map((run) => ({ run, etaSeconds: secondsLeft(run, measured) }))
  const ended = runs.filter(({ state }) => ENDED.includes(state)).length
  const done = runs.reduce((sum, run) => sum + doneShare(run), 0) / Math.max(1, runs.length)
  const phases: Record<string, number> = {}
  for (const { progress } of runs) {
    for (const [phase, seconds] of Object.entries(progress.phases)) {
      phases[phase] = (phases[phase] ?? 0) + seconds
    }
  }
  const left = inSet.map(({ etaSeconds }) => etaSeconds)
  const known = left.filter((seconds) => seconds !== null)
  const etaSeconds = known.length < left.length ? null : known.reduce((sum, one) => sum + one, 0)
  return { id, runs: inSet, done, ended, etaSeconds, phases }
}

/** Of its epochs. */
export function doneShare({ state, progress }: Run): number {
  if (ENDED.includes(state)) return 1
  const { epoch, epochs, batch, batches, phase } = progress
  if (phase === 'evaluating' || phase === 'writing') return 1
  if (epochs === 0 || epoch === 0) return 0
  return Math.min(1, (epoch - 1 + (batches === 0 ? 1 : batch / batches)) / epochs)
}

/** Until it ends, once it is its turn; null when no run of its architecture has been measured. */
export function secondsLeft(run: Run, measured: Measured): number | null {
  if (ENDED.includes(run.state)) return 0
  const like = measured.finished.find(
    (one) => one.architecture === run.architecture && one.progress.history.length > 0,
  )
  const around = like ? secondsAroundEpochs(like) : 0
  const { etaSeconds, phase } = run.progress
  if (phase === 'evaluating' || phase === 'writing') return around
  if (phase === 'training' && etaSeconds !== null) return etaSeconds + around
  const images = trainingImages(run, measured)
  const before = like && trainingImages(like, measured)
  if (!like || !images || !before) return null
  const epochs = epochsOf(run) - run.progress.history.length
  const { history } = like.progress
  const perEpoch = history.reduce((sum, { seconds }) => sum + seconds, 0) / history.length
  return (images / before) * (epochs * perEpoch + around)
}

/** Preparing, running the frozen part, evaluating, writing. */
function secondsAroundEpochs({ progress }: Run): number {
  const all = Object.values(progress.phases).reduce((sum, seconds) => sum + seconds, 0)
  const epochs = progress.history.reduce((sum, { seconds }) => sum + seconds, 0)
  return Math.max(0, all - epochs)
}

function epochsOf({ preset, hyperparameters }: Run): number {
  const given = hyperparameters.epochs
  return typeof given === 'number' ? given : (PRESETS[preset as Preset]?.epochs ?? 0)
}

/** As it was prepared, less what the run's own limit leaves out; 0 when the dataset is not prepared any more. */
function trainingImages({ dataset, preset, hyperparameters }: Run, { datasets }: Measured): number {
  const prepared = datasets.find(({ id }) => id === dataset)?.prepared
  if (!prepared) return 0
  const given = hyperparameters.maxPerClass
  const limit =
    typeof given === 'number' ? given : (PRESETS[preset as Preset]?.maxPerClass ?? Infinity)
  const counts = Object.values(prepared.splits).flatMap((split) => Object.entries(split))
  const totals = new Map<string, number>()
  for (const [label, count] of counts) totals.set(label, (totals.get(label) ?? 0) + count)
  return [...totals.values()].reduce((sum, count) => sum + Math.min(count, limit), 0)
}
