// Policy `follow`: the newest verified version that passes the whole gate answers by itself.
// Called by whatever registers a version: the inbox, an import, a finished training run.
import { isAppError } from '../../errors.ts'
import { getCondition } from '../conditions/conditions.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import type { Version } from '../versions/versions.ts'
import { type ActivationResult, activateVersion } from './activate.ts'

/** undefined when the policy is `pinned`, the version is not verified, or the gate refused it (a line says so). */
export async function followPolicy(
  ctx: RegistryContext,
  version: Version,
): Promise<ActivationResult | undefined> {
  const condition = await getCondition(ctx.db, version.condition)
  if (condition.policy !== 'follow' || version.status !== 'verified') return undefined
  try {
    return await activateVersion(ctx, {
      condition: condition.id,
      version,
      reason: 'newest verified version',
      by: 'policy follow',
      via: 'policy',
    })
  } catch (error) {
    if (!isAppError(error)) throw error
    ctx.log.info({ version: version.id, code: error.code }, 'policy follow: not activated')
    return undefined
  }
}
