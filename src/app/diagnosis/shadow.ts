// A challenger that looks on: after the active version has answered, it reads the same image in the background, and both
// readings are kept as a pair. Nobody waits for it, and when too much is waiting the image is passed over.

import { isAppError } from '../../errors.ts'
import { type Preprocessing, preprocessingDigest } from '../../imaging/preprocessing.ts'
import type { ShadowModel } from '../../inference/challengers.ts'
import { chooseOperatingPoint } from '../../inference/decide.ts'
import { diagnose } from '../../inference/diagnose.ts'
import { parseVersion } from '../../package/ids.ts'
import {
  type Challenge,
  findChallenge,
  storePair,
} from '../../registry/challenger/challenger-evidence.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import { findVersion } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'

export interface ShadowOffer {
  readonly condition: Condition
  /** What was answered. */
  readonly prediction: Prediction
  /** The image as the active version read it, and how it was prepared. */
  readonly tensor: Float32Array
  readonly preprocessing: Preprocessing
  /** The upload, for a challenger that wants its images prepared otherwise. */
  readonly bytes: Uint8Array
}

type ShadowServices = Uses<'db' | 'runtime' | 'imaging' | 'log' | 'clock' | 'metrics'>

/** Images that may wait for a quiet moment; a few, since each holds its pixels. */
const MAX_WAITING = 8

export class Shadow {
  readonly #services: ShadowServices
  readonly #ending = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #dropped = 0

  constructor(services: ShadowServices) {
    this.#services = services
  }

  /** Images passed over since the start, because too many were waiting. */
  get dropped(): number {
    return this.#dropped
  }

  /** Returns at once; without a shadowing challenger nothing happens. */
  offer(offer: ShadowOffer): void {
    const { challenger } = offer.condition
    if (challenger?.mode !== 'shadow' || offer.prediction.role !== 'active') return
    if (this.#ending.signal.aborted) return
    if (this.#running.size >= MAX_WAITING) {
      this.#dropped += 1
      this.#services.metrics.count('roentgen_shadow_dropped_total', 'Images no challenger read.', {
        condition: offer.condition.id,
      })
      return
    }
    const work = this.#read(offer).catch((error: unknown) => {
      // One that ended or is loading meanwhile is no news.
      if (this.#ending.signal.aborted || isAppError(error)) return
      this.#services.log.error({ err: error }, 'a challenger could not read an image')
    })
    this.#running.add(work)
    void work.then(() => this.#running.delete(work))
  }

  /** Resolves when what was offered so far has been read or passed over. */
  async whenIdle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Lets go of what waits. Safe to call twice. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await Promise.all(this.#running)
  }

  async #read(offer: ShadowOffer): Promise<void> {
    const { db, runtime } = this.#services
    const challenge = await findChallenge(db, offer.condition.id)
    if (challenge?.mode !== 'shadow') return
    const { condition, sha256 } = challenge
    await runtime.challengers.inferShadow({ condition, sha256 }, (shadowModel) =>
      this.#compare(shadowModel, { offer, challenge }),
    )
  }

  async #compare(
    shadowModel: ShadowModel,
    { offer, challenge }: { offer: ShadowOffer; challenge: Challenge },
  ): Promise<void> {
    const { db, clock } = this.#services
    const version = await findVersion(db, parseVersion(shadowModel.versionId))
    if (version?.status !== 'verified') return
    const { kind, classes } = shadowModel.model
    const reading = await diagnose({
      lease: shadowModel,
      tensor: await this.#tensorFor(shadowModel, offer),
      calibration: version.calibration,
      operatingPoint: chooseOperatingPoint({
        points: version.operatingPoints,
        wanted: undefined,
        inUse: offer.condition.operatingPoint ?? version.defaultOperatingPoint,
        kind,
        classes,
      }),
      explain: { method: 'none' },
      signal: this.#ending.signal,
    })
    const { prediction } = offer
    const at = clock().toISOString()
    await storePair(db, { challenge: challenge.id, prediction, challenger: reading, at })
  }

  /** The very same numbers where both prepare images alike. */
  async #tensorFor({ preprocessing }: ShadowModel, offer: ShadowOffer): Promise<Float32Array> {
    if (preprocessingDigest(preprocessing) === preprocessingDigest(offer.preprocessing)) {
      return offer.tensor
    }
    const image = await this.#services.imaging.read(offer.bytes, { preprocessing: [preprocessing] })
    return image.tensors[0] ?? new Float32Array()
  }
}
