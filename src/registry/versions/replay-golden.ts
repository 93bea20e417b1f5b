// The golden images of a package, replayed on this machine when it is added: does it compute here
// what it computed there? The version stays inactive; what was found is a row of `changes`. An activation asks again.
import { isAppError } from '../../errors.ts'
import { gateSource } from '../activation/gate-steps.ts'
import { recordChanges } from '../conditions/changes.ts'
import type { Actor, RegistryContext } from '../home/registry-context.ts'
import type { Version } from './versions.ts'

export interface GoldenReplay {
  readonly ok: boolean
  /** One sentence. */
  readonly detail: string
}

/** What a refusal must be about to be a finding; a host that is busy or ends says nothing of the package. */
const FINDINGS: ReadonlySet<string> = new Set(['golden-mismatch', 'hash-mismatch', 'load-failed'])

/** Never throws for what is wrong with the package: that is the result. */
export async function replayGolden(
  ctx: RegistryContext,
  { version, actor }: { version: Version; actor: Actor },
): Promise<GoldenReplay> {
  const replay = await replayNow(ctx, version)
  const values = { goldenReplay: replay }
  await recordChanges(ctx.db, { subject: version.id, values, actor, clock: ctx.clock })
  if (!replay.ok) ctx.log.warn({ version: version.id, reason: replay.detail }, 'golden images')
  return replay
}

async function replayNow(ctx: RegistryContext, version: Version): Promise<GoldenReplay> {
  try {
    const wanted = { reuseWarm: false, isBackground: true }
    const prepared = await ctx.gate.prepare(gateSource(ctx, version), wanted)
    const golden = prepared.steps.find((step) => step.name === 'golden')
    await prepared.discard()
    return { ok: true, detail: golden?.detail ?? 'it loads on this machine' }
  } catch (error) {
    if (isAppError(error) && FINDINGS.has(error.code)) return { ok: false, detail: error.message }
    throw error
  }
}

/** What was found when it was added; undefined when nothing could be said. */
export function findReplay(
  changes: readonly { readonly field: string; readonly value: unknown }[],
): GoldenReplay | undefined {
  const found = changes.find((one) => one.field === 'goldenReplay')
  return found?.value as GoldenReplay | undefined
}
