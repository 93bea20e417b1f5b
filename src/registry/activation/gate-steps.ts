// The steps that a version passes before it answers, each with its time; shared by activation and rollback.

import { type AppError, diskFull, isAppError, isDiskFull } from '../../errors.ts'
import type { GateStep, StepName } from '../../package/gate-step.ts'
import { verifyPackage } from '../../package/verify-package.ts'
import type { GateSource, RegistryContext } from '../home/registry-context.ts'
import { packageDir } from '../home/store.ts'
import { setIntegrity, type Version } from '../versions/versions.ts'

/** Adds the step that `work` is to `steps`, also when it fails; its text becomes the detail. */
export async function step(
  steps: GateStep[],
  { name, work }: { name: StepName; work: () => Promise<string> },
): Promise<void> {
  const started = performance.now()
  const ms = (): number => Math.round(performance.now() - started)
  try {
    const detail = await work()
    steps.push({ name, ok: true, ms: ms(), detail })
  } catch (error) {
    steps.push({ name, ok: false, ms: ms(), detail: sentenceOf(error) })
    throw error
  }
}

/** Hashes the package and keeps what was found. @throws AppError `hash-mismatch` */
export async function verifyVersion(
  ctx: Pick<RegistryContext, 'db' | 'store' | 'clock'>,
  { version, only }: { version: Version; only?: 'serving' },
): Promise<string> {
  const dir = packageDir(ctx.store, version)
  try {
    const options = { expectedSha256: version.sha256, ...(only && { only }) }
    await verifyPackage(dir, options)
  } catch (error) {
    if (isAppError(error))
      await setIntegrity(ctx.db, { version, damage: error.message, clock: ctx.clock })
    throw error
  }
  // A look at the serving files alone proves nothing about the others.
  if (!only) await setIntegrity(ctx.db, { version, damage: null, clock: ctx.clock })
  return only
    ? 'every file needed for serving is intact'
    : `all ${version.files.length} files are intact`
}

export function gateSource(ctx: Pick<RegistryContext, 'store'>, version: Version): GateSource {
  const { id, condition, name, n, sha256 } = version
  return { id, condition, name, n, sha256, dir: packageDir(ctx.store, version) }
}

/** The steps that the gate itself reports, or one failed step that its error stands for. */
export function stepsOfRefusal(error: unknown, ms: number): GateStep[] {
  const { steps: reported } = isAppError(error) ? (error.extra as { steps?: GateStep[] }) : {}
  if (reported) return reported.filter((one) => one.name !== 'manifest' || !one.ok)
  return [{ name: stepOf(error), ok: false, ms: Math.round(ms), detail: sentenceOf(error) }]
}

function sentenceOf(error: unknown): string {
  if (isDiskFull(error)) return diskFull(error).message
  return isAppError(error) ? error.message : 'failed; see the log'
}

function stepOf(error: unknown): StepName {
  const code = isAppError(error) ? (error as AppError).code : undefined
  if (code === 'hash-mismatch') return 'manifest'
  return code === 'golden-mismatch' ? 'golden' : 'load'
}
