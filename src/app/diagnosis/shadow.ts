// A challenger in shadow: after the active version has answered, it predicts on the same image in the background, and both
// predictions are kept as a pair. Nobody waits for it; when too many wait, the image is skipped.

import { isAppError } from '../../errors.ts'
import { type Preprocessing, preprocessingDigest } from '../../imaging/preprocessing.ts'
import type { ShadowModel } from '../../inference/challengers.ts'
import type { Diagnosis } from '../../inference/diagnose.ts'
import { parseVersion } from '../../package/ids.ts'
import {
  type Challenge,
  findChallenge,
  storePair,
} from '../../registry/challenger/challenger-evidence.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import { findVersion, type Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'
import { inferImage, inferTensor, ruleOfVersion } from './infer-image.ts'

export interface ShadowOffer {
  readonly condition: Condition
  /** What was answered. */
  readonly prediction: Prediction
  /** The image as the active version received it, and how it was prepared. */
  readonly tensor: Float32Array
  readonly preprocessing: Preprocessing
  /** The upload, for a challenger that wants its images prepared otherwise. */
  readonly bytes: Uint8Array
  /** Frame of a file that holds several, counted from 1. */
  readonly frame: number | undefined
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

  /** Images skipped since the start, because too many were waiting. */
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
      this.#services.metrics.count(
        'roentgen_shadow_dropped_total',
        'Images that the challenger skipped.',
        {
          condition: offer.condition.id,
        },
      )
      return
    }
    const work = this.#predict(offer).catch((error: unknown) => {
      // One that ended or is loading meanwhile is no news.
      if (this.#ending.signal.aborted || isAppError(error)) return
      this.#services.log.error({ err: error }, 'a challenger could not predict on an image')
    })
    this.#running.add(work)
    void work.then(() => this.#running.delete(work))
  }

  /** Resolves when what was offered so far has been predicted or skipped. */
  async whenIdle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Lets go of what waits. Safe to call twice. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await Promise.all(this.#running)
  }

  async #predict(offer: ShadowOffer): Promise<void> {
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
    const { prediction } = offer
    const at = clock().toISOString()
    const challenger = await this.#infer(shadowModel, { offer, version })
    await storePair(db, { challenge: challenge.id, prediction, challenger, at })
  }

  /** Of the very same numbers where both prepare images alike. */
  async #infer(
    shadowModel: ShadowModel,
    { offer, version }: { offer: ShadowOffer; version: Version },
  ): Promise<Diagnosis> {
    const rule = ruleOfVersion(version, offer.condition)
    const { signal } = this.#ending
    const prepared = preprocessingDigest(shadowModel.preprocessing)
    if (prepared === preprocessingDigest(offer.preprocessing)) {
      return inferTensor(shadowModel, { rule, tensor: offer.tensor, signal })
    }
    const request = { rule: () => rule, image: offer.bytes, frame: offer.frame, signal }
    const hold = <T>(use: (held: ShadowModel) => Promise<T>) => use(shadowModel)
    return (await inferImage(this.#services, { ...request, hold })).diagnosis
  }
}
