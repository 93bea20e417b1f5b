// Puts a served version into the hands of one request, and no more of it than that request may use.
import type { Lease } from './lease.ts'
import type { ServedVersion } from './served-version.ts'

/** `served` was loaded. `activationId` is null for a version that was asked for by name. */
export function leaseOf(
  served: ServedVersion,
  { activationId, role, release }: Pick<Lease, 'activationId' | 'role' | 'release'>,
): Lease {
  const { model, preprocessing, familiarity } = served.loaded.config
  return {
    versionId: served.source.id,
    sha256: served.source.sha256,
    precision: served.precision,
    activationId,
    role,
    damaged: served.damage !== null,
    model,
    preprocessing,
    familiarity,
    infer: (tensor, options) => served.infer(tensor, options),
    inferMasked: (tensor, options) => served.inferMasked(tensor, options),
    release,
  }
}
