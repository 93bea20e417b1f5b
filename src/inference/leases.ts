// The holds on loaded versions: one for each request, no more at once than can run and wait.
import type { InferenceQueue } from './inference-queue.ts'
import type { Lease } from './lease.ts'
import { leaseOf } from './lease-of.ts'
import type { ServedVersion } from './served-version.ts'

/** One version leaves so many of the places to others. */
const RESERVED_SHARE = 1 / 8

export class Leases {
  readonly #most: number
  readonly #queue: Pick<InferenceQueue, 'refuse'>
  #taken = 0

  constructor(most: number, queue: Pick<InferenceQueue, 'refuse'>) {
    this.#most = most
    this.#queue = queue
  }

  /** @throws AppError `busy` */
  refuseWhenFull(): void {
    if (this.#taken >= this.#most) this.#queue.refuse()
  }

  /** Waits until the version is loaded. @throws AppError `busy`, `loading`, why it cannot be loaded */
  async take(
    served: ServedVersion,
    { activationId, role = 'active' }: { activationId: string | null; role?: Lease['role'] },
  ): Promise<Lease> {
    this.refuseWhenFull()
    if (served.leases >= this.#most - Math.floor(this.#most * RESERVED_SHARE)) this.#queue.refuse()
    this.#taken += 1
    const letGo = served.acquire()
    let held = true
    const release = () => {
      if (held) this.#taken -= 1
      held = false
      letGo()
    }
    try {
      await served.whenLoaded()
      return leaseOf(served, { activationId, role, release })
    } catch (error) {
      release()
      throw error
    }
  }
}
