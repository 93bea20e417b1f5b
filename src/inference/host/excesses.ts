// How often a version took too long or too much memory: once is the image's or the moment's fault, twice is the model's.
const MAX = 2
const WITHIN_MS = 3_600_000

export class Excesses {
  #times: number[] = []
  #isTooMany = false

  /** Stays so: whoever wants the version to run again activates it again, which begins anew. */
  get isTooMany(): boolean {
    return this.#isTooMany
  }

  add(now = Date.now()): void {
    this.#times = [...this.#times.filter((at) => now - at < WITHIN_MS), now]
    this.#isTooMany ||= this.#times.length >= MAX
  }
}
