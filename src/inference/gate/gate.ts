// The evidence gate of one candidate, as far as a host can tell: package, load, golden images. Metrics are the registry's.
import type { ImagingPool } from '../../imaging/imaging-pool.ts'
import type { Precision } from '../../package/schema.ts'
import { verifyPackage } from '../../package/verify-package.ts'
import type { ServingCopy, ServingSource } from '../host/serving-copy.ts'
import type { ServedVersion } from '../served-version.ts'
import type { CandidateStep, GateSteps } from './gate-steps.ts'
import { replayGolden } from './golden-replay.ts'
import { choosePrecision } from './precision-choice.ts'

/** A version that has passed the gate and waits to be switched to. */
export interface PreparedVersion {
  readonly steps: readonly CandidateStep[]
  /** Of the graph that answers once it is switched to. */
  readonly precision: Precision
  /** Requests that begin from now on are answered by it. @throws AppError `conflict` when a newer one came meanwhile */
  switchTo(activationId: string): Promise<void>
  /** It stands beside the active version from now on, in place of any other challenger of the condition. */
  challenge(): Promise<void>
  /** Lets it go instead. Safe to call twice, and without effect after `switchTo`. */
  discard(): Promise<void>
}

export interface GateOptions {
  readonly served: ServedVersion
  /** The same version in int8, to be taken in its place if it is faster. */
  readonly rival?: ServedVersion | undefined
  readonly steps: GateSteps
  readonly openCopy: (source: ServingSource) => Promise<ServingCopy>
  readonly imaging: Pick<ImagingPool, 'read'>
  /** Verify what serving needs, not every file of the package. */
  readonly servingOnly: boolean
  /** The package was verified just now: only the copy is left to prove. */
  readonly isVerified: boolean
}

/**
 * @returns which of the two has passed: `served` when there is no rival
 * @throws AppError `hash-mismatch`, `load-failed`, `golden-mismatch`, each with `extra.steps`
 */
export async function passGate(o: GateOptions): Promise<ServedVersion> {
  const { served, rival, steps } = o
  let chosen = served
  const { source } = served
  await steps.run('manifest', {
    code: 'hash-mismatch',
    work: async () => {
      if (o.isVerified) {
        const { files } = await o.openCopy(source)
        return `the private copy of the ${files.length} files that serving needs is intact`
      }
      const only = o.servingOnly ? { only: 'serving' as const } : {}
      const { manifest } = await verifyPackage(source.dir, {
        expectedSha256: source.sha256,
        ...only,
      })
      const copy = await o.openCopy(source)
      return o.servingOnly
        ? `the ${copy.files.length} files needed for serving match the manifest`
        : `all ${manifest.files.length} files match the manifest`
    },
  })
  await steps.run('load', {
    code: 'load-failed',
    work: async () => {
      if (rival) {
        const choice = await choosePrecision({ float32: served, int8: rival, prove })
        chosen = choice.chosen
        return `loaded in fresh processes; ${choice.detail}`
      }
      const wasReady = served.isReady
      await served.start()
      const graph = served.precision === 'float32' ? '' : ` in ${served.precision}`
      return wasReady ? `still loaded${graph}` : `loaded${graph} in a fresh process, first run done`
    },
  })
  await steps.run('golden', {
    code: 'golden-mismatch',
    work: () => prove(chosen),
  })
  return chosen

  function prove(candidate: ServedVersion): Promise<string> {
    const infer = (tensor: Float32Array) => candidate.inferUrgently(tensor)
    return replayGolden({ ...candidate.loaded, version: { infer }, imaging: o.imaging })
  }
}
