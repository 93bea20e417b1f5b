// From a version that may come to answer to the host that has passed the gate; a second one, for the other precision, is let
// go again. What happens with the host then is runtime.ts.

import type { ServingSource } from '../host/serving-copy.ts'
import type { LoadedVersions } from '../loaded-versions.ts'
import type { PrepareOptions } from '../runtime-options.ts'
import type { ServedVersion } from '../served-version.ts'
import { type GateOptions, passGate } from './gate.ts'
import { type CandidateStep, GateSteps } from './gate-steps.ts'

export interface CandidateOptions extends PrepareOptions {
  readonly versions: LoadedVersions
  readonly create: (source: ServingSource) => ServedVersion
  /** Whether one that was kept warm before may be kept so again. */
  readonly keepsWarm: (served: ServedVersion) => boolean
  readonly imaging: GateOptions['imaging']
}

export interface PreparedCandidate {
  readonly served: ServedVersion
  readonly steps: readonly CandidateStep[]
  /** Without effect once it has another role. */
  readonly discard: () => Promise<void>
}

/** @throws AppError `hash-mismatch`, `load-failed`, `golden-mismatch`, each with `extra.steps` */
export async function prepareCandidate(
  source: ServingSource,
  o: CandidateOptions,
): Promise<PreparedCandidate> {
  const { versions, reuseWarm = false, isVerified = false } = o
  const wanted = { ...source, precision: o.precision === 'auto' ? 'float32' : o.precision } as const
  const warm = reuseWarm ? versions.find(wanted, ['previous']) : undefined
  const first = warm ?? o.create(wanted)
  first.role = 'candidate'
  const rival = o.precision === 'auto' ? o.create({ ...source, precision: 'int8' }) : undefined
  const steps = new GateSteps()
  const letGo = async (kept?: ServedVersion): Promise<void> => {
    for (const one of [first, rival]) {
      if (!one || one === kept || one.role !== 'candidate') continue
      if (one === warm && o.keepsWarm(warm)) warm.role = 'previous'
      else await versions.retire(one)
    }
  }
  try {
    const openCopy = (one: ServingSource) => versions.openCopy(one)
    const { imaging } = o
    const gate = { steps, openCopy, imaging, servingOnly: reuseWarm, isVerified }
    const served = await passGate({ served: first, rival, ...gate })
    await letGo(served)
    return { served, steps: steps.done, discard: () => letGo() }
  } catch (error) {
    await letGo()
    throw error
  }
}
