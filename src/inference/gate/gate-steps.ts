// The steps that a version goes through before it may answer, each with its time and what it found.
import {
  AppError,
  diskFull,
  type ErrorCode,
  isAppError,
  isDiskFull,
  messageOf,
} from '../../errors.ts'
import type { GateStep } from '../../package/gate-step.ts'

/** The ones that are done here. */
export type CandidateStep = GateStep<'manifest' | 'load' | 'golden'>

/** What a step may refuse with; anything else that goes wrong in it becomes its own code. */
const REFUSALS: readonly ErrorCode[] = [
  'hash-mismatch',
  'load-failed',
  'golden-mismatch',
  'unavailable',
  'disk-full',
]

export class GateSteps {
  readonly #steps: CandidateStep[] = []

  get done(): readonly CandidateStep[] {
    return this.#steps
  }

  /**
   * Runs a step and records it; `work` returns its detail. @throws AppError of `work`, or with `code` when it was some
   * other error; `extra.steps` holds all steps so far, the failed one last
   */
  async run(
    name: CandidateStep['name'],
    { code, work }: { readonly code: ErrorCode; readonly work: () => Promise<string> },
  ): Promise<void> {
    const started = performance.now()
    const record = (ok: boolean, detail: string) => {
      this.#steps.push({ name, ok, ms: Math.round(performance.now() - started), detail })
    }
    try {
      record(true, await work())
    } catch (error) {
      const known = isDiskFull(error) ? diskFull(error) : isAppError(error) ? error : undefined
      record(false, known?.message ?? 'An unexpected error; see the log.')
      const refusal = known && REFUSALS.includes(known.code) ? known.code : code
      const message = known?.message ?? `The version failed the check "${name}".`
      throw new AppError(refusal, message, {
        cause: known?.cause ?? new Error(messageOf(error), { cause: error }),
        ...(known?.retryAfterSeconds && { retryAfterSeconds: known.retryAfterSeconds }),
        extra: { ...known?.extra, steps: this.done },
      })
    }
  }
}
