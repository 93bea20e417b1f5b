// The one way a package becomes a version, through whatever door it comes: the inbox, an import by page, API or command, a
// finished training. Verified, registered, its golden images replayed, then the policy of its condition; in this order,
// and once it is registered nothing that follows takes that back (decision 79).
import type { Activation } from '../activation/activations.ts'
import { followPolicy } from '../activation/follow-policy.ts'
import type { Actor, RegistryContext } from '../home/registry-context.ts'
import { importPackageZip } from './exchange-package.ts'
import { type Registered, type RegisterOptions, registerPackage } from './register-package.ts'
import { type GoldenReplay, replayGolden } from './replay-golden.ts'
import { getVersion, type Version } from './versions.ts'

type Common = Pick<RegisterOptions, 'actor' | 'requiresTrust'>

/** A folder is taken into the store, and given back when it is refused. */
export type NewVersion =
  | (Common & { readonly zipPath: string })
  | (Common & { readonly fromDir: string } & Pick<RegisterOptions, 'isForeign'>)

export interface AddedVersion extends Registered {
  /** Whether it computes here what it computed where it was made; null when it was here already or nothing can be said. */
  readonly goldenReplay: GoldenReplay | null
  /** What made it answer under policy `follow`; null when it does not answer by this. */
  readonly activation: Activation | null
}

/**
 * A version that is here already is returned as it is, and nothing is asked of it again.
 * @throws AppError as `registerPackage` and, of a zip, `unzipPackage`; nothing is listed then
 */
export async function addVersion(ctx: RegistryContext, source: NewVersion): Promise<AddedVersion> {
  const registered = await registerNew(ctx, source)
  if (!registered.created) return { ...registered, goldenReplay: null, activation: null }
  return proveVersion(ctx, { version: registered.version, actor: source.actor })
}

/** The first half of `addVersion`, for a door that lists the version before it is proved. */
export function registerNew(ctx: RegistryContext, source: NewVersion): Promise<Registered> {
  const { clock } = ctx
  return 'zipPath' in source
    ? importPackageZip(ctx, { ...source, clock })
    : registerPackage(ctx, { ...source, move: true, clock })
}

/** The second half. Never rejects for what becomes of a version that is registered: that is in the result and in the log. */
export async function proveVersion(
  ctx: RegistryContext,
  { version, actor }: { readonly version: Version; readonly actor: Actor },
): Promise<AddedVersion> {
  const logged = (what: string) => (error: unknown) => {
    ctx.log.error({ err: error, version: version.id }, what)
    return null
  }
  const goldenReplay = await replayGolden(ctx, { version, actor }).catch(
    logged('golden images not replayed'),
  )
  // What does not replay is refused by the gate, so that the history says that the policy wanted it, and why it is not to be.
  const followed = await followPolicy(ctx, version).catch(logged('policy follow failed'))
  return {
    version: await getVersion(ctx.db, version),
    created: true,
    goldenReplay,
    activation: followed?.activation ?? null,
  }
}
