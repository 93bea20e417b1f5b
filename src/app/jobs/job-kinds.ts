// The kinds of jobs that this Roentgen knows, by name. A job of a kind that it does not know is listed and left alone.
import { AppError } from '../../errors.ts'
import type { JobKind } from './job-kind.ts'

/** Timers hold no more: 24 days. */
const MAX_LIMIT_MS = 2 ** 31 - 1

export class JobKinds {
  readonly #byName = new Map<string, JobKind>()

  /** @throws RangeError for limits that no timer holds */
  add<Input>(kind: JobKind<Input>): void {
    if (Math.max(kind.timeLimitMs ?? 0, kind.stallLimitMs ?? 0) > MAX_LIMIT_MS) {
      throw new RangeError(`the limits of "${kind.name}" are too long`)
    }
    this.#byName.set(kind.name, kind as JobKind)
  }

  get all(): readonly JobKind[] {
    return [...this.#byName.values()]
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  find(name: string): JobKind | undefined {
    return this.#byName.get(name)
  }

  /** @throws AppError `unknown-job` */
  get(name: string): JobKind {
    const kind = this.#byName.get(name)
    if (kind) return kind
    throw new AppError('unknown-job', 'This Roentgen does not know that kind of job.')
  }

  /** Kinds that share a lane. */
  lanes(): readonly (readonly JobKind[])[] {
    return [...Map.groupBy(this.#byName.values(), ({ lane }) => lane).values()]
  }
}
