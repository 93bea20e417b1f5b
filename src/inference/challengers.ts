// The versions that stand beside the active ones, at most one for each condition: they predict in the background (shadow), or
// answer the requests that are handed to them (split). When and on what is the server's.
import { parseVersion } from '../package/ids.ts'
import type { ServingSource } from './host/serving-copy.ts'
import type { Lease, LoadedVersion } from './lease.ts'
import type { ServedVersion } from './served-version.ts'

/** What it needs of the runtime. */
export interface ChallengersOptions {
  readonly create: (source: ServingSource, isBackground: boolean) => ServedVersion
  readonly retire: (served: ServedVersion) => Promise<void>
  readonly hold: (served: ServedVersion) => Promise<Lease>
}

/** A challenger in shadow: it predicts while nobody waits. */
export interface ShadowModel extends LoadedVersion {
  readonly versionId: string
  readonly sha256: string
}

export class Challengers {
  readonly #options: ChallengersOptions
  readonly #served = new Map<string, ServedVersion>()

  constructor(options: ChallengersOptions) {
    this.#options = options
  }

  /** For a version that has passed the gate. */
  async add(served: ServedVersion): Promise<void> {
    const { condition } = parseVersion(served.source.id)
    const before = this.#served.get(condition)
    served.role = 'challenger'
    this.#served.set(condition, served)
    void served.keepAlive()
    if (before && before !== served) void this.#options.retire(before)
  }

  /** The one that stood there before this process began; it loads by itself, and refuses a damaged package. */
  restore(source: ServingSource, { isBackground }: { isBackground: boolean }): void {
    const { condition } = parseVersion(source.id)
    if (!this.#served.has(condition)) void this.add(this.#options.create(source, isBackground))
  }

  /** Lets the challenger of a condition go, or only one with that digest; without it nothing happens. */
  async end(condition: string, { sha256 }: { sha256?: string } = {}): Promise<void> {
    const served = this.#served.get(condition)
    if (!served || (sha256 !== undefined && served.source.sha256 !== sha256)) return
    this.#served.delete(condition)
    await this.#options.retire(served)
  }

  /** A hold on it, for a request that it is to answer; undefined unless it is loaded and is that version. */
  async lease(condition: string, sha256: string): Promise<Lease | undefined> {
    const served = this.#ready(condition, sha256)
    return served && this.#options.hold(served)
  }

  /** Predicts with it while no request runs or waits; undefined unless it is loaded and is that version. */
  async inferShadow<T>(
    { condition, sha256 }: { condition: string; sha256: string },
    read: (shadowModel: ShadowModel) => Promise<T>,
  ): Promise<T | undefined> {
    const served = this.#ready(condition, sha256)
    if (!served) return undefined
    const letGo = served.acquire()
    try {
      const { model, preprocessing, familiarity } = served.loaded.config
      return await read({
        versionId: served.source.id,
        sha256,
        model,
        preprocessing,
        familiarity,
        infer: (tensor, options) => served.inferInBackground(tensor, options?.signal),
        inferMasked: (tensor, options) => served.inferMasked(tensor, options),
      })
    } finally {
      letGo()
    }
  }

  #ready(condition: string, sha256: string): ServedVersion | undefined {
    const served = this.#served.get(condition)
    return served?.isReady && served.source.sha256 === sha256 ? served : undefined
  }
}
