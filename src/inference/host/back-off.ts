// How long to wait before a thing that keeps failing is tried again: not at all, then 0.5 s, 1 s, 2 s … 30 s.
const FIRST_MS = 500
const MAX_MS = 30_000

export class BackOff {
  #failures = 0
  #retryAt = 0

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures
  }

  get waitMs(): number {
    return Math.max(0, this.#retryAt - Date.now())
  }

  failed(): void {
    this.#failures += 1
    const doublings = this.#failures - 2
    const pauseMs = doublings < 0 ? 0 : Math.min(MAX_MS, FIRST_MS * 2 ** doublings)
    this.#retryAt = Date.now() + pauseMs
  }

  succeeded(): void {
    this.#failures = 0
  }
}
