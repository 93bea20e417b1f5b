// What is said of a run that cannot do what was asked, that was interrupted, or that was starved of memory.
import { AppError } from '../../errors.ts'
import type { Run } from '../../registry/runs/runs.ts'

export function wrongState(run: Run, what: string): AppError {
  return new AppError('conflict', `The run is ${run.state} and cannot be ${what}.`)
}

export function interruptedWords({ progress }: Run, why: string): string {
  const { epoch, epochs } = progress
  const where = epoch > 0 && epochs > 0 ? ` Stopped in epoch ${epoch} of ${epochs}.` : ''
  return `${why}.${where} It can be resumed from the last checkpoint.`
}

/** Half of it, as long as a batch remains that batch normalisation can work with. */
export function smallerBatch(run: Run): Run['offer'] {
  const given = run.hyperparameters.batchSize
  const batchSize = Math.floor((typeof given === 'number' ? given : 32) / 2)
  return batchSize >= 2 ? { batchSize } : null
}
