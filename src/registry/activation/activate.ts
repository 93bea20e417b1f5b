// Makes a version answer, in the order of truth: pending row, gate, commit, active.json, requests switch, caller told.
// Killed at any instant, recover.ts finds either the old state or the new one. What the gate does is injected.

import { AppError, isAppError } from '../../errors.ts'
import type { GateStep } from '../../package/gate-step.ts'
import { parseVersion, type VersionRef } from '../../package/ids.ts'
import { type Condition, getCondition } from '../conditions/conditions.ts'
import { exclusive } from '../home/exclusive.ts'
import type { Actor, PreparedHost, RegistryContext } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { measuredMetrics } from '../versions/evaluations.ts'
import {
  inPrecision,
  type WantedPrecision,
  wantedPrecision,
} from '../versions/version-precision.ts'
import { findVersion, getVersion, type Version } from '../versions/versions.ts'
import {
  type Activation,
  findActivation,
  insertActivation,
  updateActivation,
} from './activations.ts'
import { checkExpectedState, type ExpectedState } from './expected-state.ts'
import { gateSource, step, stepsOfRefusal, verifyVersion } from './gate-steps.ts'
import { judgeMetrics, type Measured } from './metric-gate.ts'
import { type Attempt, commit, switchOver } from './switch-over.ts'

export interface ActivationRequest extends Actor {
  readonly condition: string
  readonly version: VersionRef
  readonly reason: string
  /** Passes a `gate` or `unevaluated` refusal; needs a reason. Nothing else can be forced. */
  readonly force?: boolean | undefined
  /** Which graph of a version that has two; `auto` when absent, which changes nothing where it answers already. */
  readonly precision?: WantedPrecision | undefined
  /** The activation that the caller saw. */
  readonly expected?: ExpectedState
  /** What a rule promotes it for: the first step of its line. */
  readonly evidence?: GateStep | undefined
}

export interface ActivationResult {
  /** The new line, or the one under which the version answers already. */
  readonly activation: Activation
  /** false: it answered already, and the history has no new line. */
  readonly changed: boolean
}

/**
 * Resolves once requests are answered by the version. One at a time for each condition.
 * @throws AppError `unknown-condition`, `unknown-version`, `state-changed`, `conflict` (deleted), `invalid` (force without a
 * reason):
 * nothing is recorded; `hash-mismatch`, `load-failed`, `golden-mismatch`, `gate`, `unevaluated`: the history has a
 * refused line, whose id is `extra.activation`
 */
export function activateVersion(
  ctx: RegistryContext,
  request: ActivationRequest,
): Promise<ActivationResult> {
  const work = () => activateNow(ctx, { ...request, kind: 'activate' })
  return exclusive(ctx.db, { key: request.condition, work })
}

interface Precise {
  readonly precision: WantedPrecision
}

export interface LockedRequest extends ActivationRequest {
  /** A rollback may use a host that is still warm, and skips the metrics. */
  readonly kind: 'activate' | 'rollback'
}

/** A rollback hashes all files of a package up to this size, above it those that serving needs: it must be quick. */
const QUICK_FROM = 64 * 1024 * 1024

/** As `activateVersion`, for a caller that holds the condition. */
export async function activateNow(
  ctx: RegistryContext,
  request: LockedRequest,
): Promise<ActivationResult> {
  const condition = await getCondition(ctx.db, request.condition)
  await checkExpectedState(ctx.db, { condition, expected: request.expected })
  const version = await activatable(ctx.db, { condition, ref: request.version })
  if (request.force && request.reason.trim() === '') {
    throw new AppError('invalid', 'Overriding the gate requires a reason.')
  }
  const precision = wantedPrecision(version, request.precision)
  if (condition.active?.version === version.id) {
    const activation = await currentActivation(ctx.db, condition)
    const isWanted = precision === activation.precision || (request.precision ?? 'auto') === 'auto'
    if (isWanted && (await answersIntact(ctx, { condition, version }))) {
      return { activation, changed: false }
    }
  }
  const id = await insertActivation(ctx.db, {
    condition: condition.id,
    version: version.id,
    sha256: version.sha256,
    previous: condition.active?.version ?? null,
    at: ctx.clock().toISOString(),
    actor: { by: request.by, via: request.via },
    kind: request.kind,
    reason: request.reason.trim(),
    outcome: 'pending',
    steps: [],
    precision: precision === 'auto' ? null : precision,
  })
  const steps: GateStep[] = request.evidence ? [request.evidence] : []
  const prepared = await passGate(ctx, { request, precision, condition, version, id, steps })
  await switchOver(ctx, { condition, version, id, steps, prepared })
  const activation = await findActivation(ctx.db, id)
  if (!activation) throw new AppError('internal', 'The activation cannot be read back.')
  return { activation, changed: true }
}

/** All steps up to the commit. What fails leaves a refused line and an unchanged condition. */
async function passGate(
  ctx: RegistryContext,
  { request, precision, ...attempt }: Attempt & { request: LockedRequest } & Precise,
): Promise<PreparedHost> {
  const { condition, version, id, steps } = attempt
  const rollback = request.kind === 'rollback'
  let prepared: PreparedHost | undefined
  try {
    const quick = rollback && version.status !== 'quarantined' && version.sizeBytes > QUICK_FROM
    const only = quick ? { only: 'serving' as const } : {}
    await step(steps, { name: 'manifest', work: () => verifyVersion(ctx, { version, ...only }) })
    prepared = await prepare(ctx, { version, precision, steps, reuseWarm: rollback })
    const answering = inPrecision(version, prepared.precision)
    const forced = request.force === true
    if (!rollback) await judge(ctx, { condition, version: answering, steps, forced })
    await commit(ctx, { ...attempt, precision: prepared.precision })
    return prepared
  } catch (error) {
    await prepared?.discard().catch((cause) => ctx.log.error({ err: cause }, 'host not ended'))
    await updateActivation(ctx.db, id, {
      at: ctx.clock().toISOString(),
      outcome: 'refused',
      steps: steps.some((one) => !one.ok) ? steps : [...steps, ...stepsOfRefusal(error, 0)],
    })
    ctx.log.warn({ err: error, version: version.id }, 'activation refused')
    throw isAppError(error) ? withActivation(error, { id, steps }) : error
  }
}

async function prepare(
  ctx: RegistryContext,
  {
    version,
    precision,
    steps,
    reuseWarm,
  }: { version: Version; steps: GateStep[]; reuseWarm: boolean } & Precise,
): Promise<PreparedHost> {
  const started = performance.now()
  try {
    const prepared = await ctx.gate.prepare(gateSource(ctx, version), { reuseWarm, precision })
    steps.push(...prepared.steps.filter((one) => one.name !== 'manifest'))
    return prepared
  } catch (error) {
    steps.push(...stepsOfRefusal(error, performance.now() - started))
    throw error
  }
}

async function judge(
  ctx: RegistryContext,
  { condition, version, steps, forced }: Omit<Attempt, 'id'> & { forced: boolean },
): Promise<void> {
  const started = performance.now()
  const active = await activeAsItAnswers(ctx.db, condition)
  const verdict = judgeMetrics(await measured(ctx.db, version), {
    active: active && (await measured(ctx.db, active)),
    gate: condition.gate,
  })
  const ok = verdict.outcome === 'passed'
  const detail = ok || !forced ? verdict.detail : `${verdict.detail}; forced`
  steps.push({ name: 'metrics', ok, ms: Math.round(performance.now() - started), detail })
  if (verdict.outcome === 'passed' || forced) return
  const advice =
    verdict.outcome === 'gate'
      ? 'Override with a reason to accept this.'
      : 'Evaluate both on the same images, or override with a reason.'
  throw new AppError(
    verdict.outcome,
    `${version.id} was not activated: ${verdict.detail}. ${advice}`,
  )
}

/** Evaluations are made in float32, so they say nothing about a graph in eight bits. */
async function measured(db: Db, version: Version): Promise<Measured> {
  const isInt8 = version.int8 !== null && version.metrics === version.int8?.metrics
  const own = version.metrics ? [version.metrics] : []
  return { id: version.id, measured: isInt8 ? own : await measuredMetrics(db, version) }
}

async function activeAsItAnswers(db: Db, { active }: Condition): Promise<Version | undefined> {
  const version = active && (await findVersion(db, parseVersion(active.version)))
  const line = active && (await findActivation(db, active.activation))
  return version ? inPrecision(version, line?.precision ?? 'float32') : undefined
}

/** Its files may have been damaged since: then it answers from a copy, and is only active again once they are intact. */
async function answersIntact(
  ctx: RegistryContext,
  { condition, version }: { condition: Condition; version: Version },
): Promise<boolean> {
  if (condition.active?.state === 'ok') return true
  return verifyVersion(ctx, { version }).then(
    () => true,
    () => false,
  )
}

async function activatable(
  db: Db,
  { condition, ref }: { condition: Condition; ref: VersionRef },
): Promise<Version> {
  const version = await getVersion(db, ref)
  if (version.condition !== condition.id) {
    throw new AppError('unknown-version', `${version.id} is not a version of ${condition.id}.`)
  }
  if (version.status === 'deleted') {
    throw new AppError('conflict', `${version.id} was deleted and cannot be activated.`)
  }
  return version
}

async function currentActivation(db: Db, condition: Condition): Promise<Activation> {
  const activation = await findActivation(db, condition.active?.activation ?? '')
  if (activation) return activation
  throw new AppError('internal', 'The history lacks the line of the active version.')
}

function withActivation(
  error: AppError,
  extra: { id: string; steps: readonly GateStep[] },
): AppError {
  return new AppError(error.code, error.message, {
    cause: error.cause ?? error,
    ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
    extra: { ...error.extra, activation: extra.id, steps: extra.steps },
  })
}
