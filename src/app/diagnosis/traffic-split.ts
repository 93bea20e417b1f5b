// The share of requests that a challenger answers. The same image always goes to the same of the two, so that sending it
// again gives the same result.
import type { Lease } from '../../inference/lease.ts'
import { sha256Of } from '../../package/hash-file.ts'
import { parseVersion } from '../../package/ids.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { findVersion } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'

/** A hold on the challenger when the image falls to it and it can answer; else undefined, and the active one answers. */
export async function leaseOfShare(
  services: Uses<'db' | 'runtime'>,
  { condition, image }: { condition: Condition; image: Uint8Array },
): Promise<Lease | undefined> {
  const { challenger } = condition
  if (challenger?.mode !== 'split' || challenger.share === null) return undefined
  if (!isInShare(sha256Of(image), challenger.share)) return undefined
  const version = await findVersion(services.db, parseVersion(challenger.version))
  // What was verified when it was set may have been damaged since; then it answers nobody.
  if (version?.status !== 'verified') return undefined
  return services.runtime.challengers.lease(condition.id, version.sha256)
}

/** The digest's first 52 bits as a fraction of all that they can be, 0 to 1, below the share. */
export function isInShare(imageSha256: string, share: number): boolean {
  return Number.parseInt(imageSha256.slice(0, 13), 16) / 16 ** 13 < share
}
