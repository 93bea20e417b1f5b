// active.json as a way to ask: a file that names another version than the one that answers is a request to activate
// it, through the whole gate. Granted or not, the file ends as the truth.
import { isAppError } from '../../errors.ts'
import { findVersionRef } from '../../package/ids.ts'
import { type Condition, findCondition, listConditions } from '../conditions/conditions.ts'
import { exclusive } from '../home/exclusive.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { resolveVersion } from '../versions/aliases.ts'
import { refusalOf } from '../versions/register-package.ts'
import { findVersion, type Version } from '../versions/versions.ts'
import { activateNow } from './activate.ts'
import { findActivation, insertActivation } from './activations.ts'
import { type PointerFile, readPointer } from './active-pointer.ts'
import { isStale, saysSomethingStale } from './stale-pointers.ts'
import { followTruth } from './switch-over.ts'

/** `unreadable`: perhaps still being written; asked again with `final`, it is refused. */
export type EditOutcome = 'none' | 'activated' | 'refused' | 'unreadable'

const ACTOR = { by: 'active.json', via: 'file' } as const

/** Looks at the active.json of every condition. After a start this runs before anything else is activated. */
export async function applyPointerEdits(ctx: RegistryContext): Promise<void> {
  for (const { id } of await listConditions(ctx.db)) {
    await applyPointerEdit(ctx, { condition: id, final: true })
  }
}

/** Waits for an activation of the condition that is under way, so that its own write is never taken for an edit. */
export function applyPointerEdit(
  ctx: RegistryContext,
  { condition, final }: { condition: string; final: boolean },
): Promise<EditOutcome> {
  return exclusive(ctx.db, { key: condition, work: () => applyNow(ctx, { condition, final }) })
}

async function applyNow(
  ctx: RegistryContext,
  { condition: id, final }: { condition: string; final: boolean },
): Promise<EditOutcome> {
  const condition = await findCondition(ctx.db, id)
  if (!condition) return 'none'
  const { active } = condition
  const file = await readPointer(ctx.store, id)
  const isOld =
    file.state === 'absent' || file.state === 'unknown' || (await isStaleFile(ctx, condition, file))
  if (isOld) {
    if (active || isStale(ctx.db, id)) await followTruth(ctx, id)
    return 'none'
  }
  if (file.state === 'unreadable') {
    if (!final) return 'unreadable'
    return refuse(ctx, {
      condition,
      version: '(unreadable)',
      why: 'active.json is not readable JSON',
    })
  }
  if (file.version === active?.version) {
    if (file.activation !== active.activation) await followTruth(ctx, id)
    return 'none'
  }
  return request(ctx, { condition, version: file.version })
}

async function request(
  ctx: RegistryContext,
  { condition, version }: { condition: Condition; version: string },
): Promise<EditOutcome> {
  const ref = await resolveVersion(ctx.db, version).catch((error: unknown) => refusalOf(error))
  if (typeof ref === 'string') return refuse(ctx, { condition, version, why: ref })
  const reason = 'active.json was edited'
  try {
    const wanted = { condition: condition.id, version: ref, reason, kind: 'activate' } as const
    const { changed } = await activateNow(ctx, { ...ACTOR, ...wanted })
    // It named, by an alias, what answers already.
    if (!changed) await followTruth(ctx, condition.id)
    return 'activated'
  } catch (error) {
    ctx.log.warn(
      { err: error, condition: condition.id, version },
      'an edit of active.json is refused',
    )
    const recorded = isAppError(error) ? error.extra.activation !== undefined : true
    if (!recorded) return refuse(ctx, { condition, version, why: refusalOf(error) })
    await followTruth(ctx, condition.id)
    return 'refused'
  }
}

/** How much later than the file the activation must be: their clocks are not read at one instant. */
const CLEARLY_LATER_MS = 1000

/**
 * True for a file that was not written by a person, or that a person wrote for a time that is over: it carries an id of ours,
 * could not be rewritten when its request was decided, or is older than what answers.
 */
async function isStaleFile(
  { db }: RegistryContext,
  { id, active }: Condition,
  file: Extract<PointerFile, { readonly text: string }>,
): Promise<boolean> {
  if (saysSomethingStale(db, id, file.text)) return true
  if (file.state !== 'read' || file.version === active?.version) return false
  if (await isOurs(db, { condition: id, file })) return true
  if (!active) return false
  return Date.parse(active.since) - file.changedAt.getTime() > CLEARLY_LATER_MS
}

async function refuse(
  ctx: RegistryContext,
  { condition, version, why }: { condition: Condition; version: string; why: string },
): Promise<EditOutcome> {
  const known = await versionNamed(ctx.db, { condition: condition.id, version })
  await insertActivation(ctx.db, {
    condition: condition.id,
    version,
    sha256: known?.sha256 ?? null,
    previous: condition.active?.version ?? null,
    at: ctx.clock().toISOString(),
    actor: ACTOR,
    kind: 'activate',
    reason: 'active.json was edited',
    outcome: 'refused',
    steps: [{ name: 'manifest', ok: false, ms: 0, detail: why }],
  })
  await followTruth(ctx, condition.id)
  return 'refused'
}

/** True when this registry wrote the file: it carries an activation of ours and the version of that activation. One that was taken back since has written it too. */
export async function isOurs(
  db: Db,
  {
    condition,
    file,
  }: { condition: string; file: { version: string; activation?: string | undefined } },
): Promise<boolean> {
  const known = file.activation && (await findActivation(db, file.activation))
  return (
    known !== undefined &&
    known !== '' &&
    known.condition === condition &&
    known.version === file.version
  )
}

export async function versionNamed(
  db: Db,
  { condition, version }: { condition: string; version: string },
): Promise<Version | undefined> {
  const ref = findVersionRef(version)
  return ref && ref.condition === condition ? findVersion(db, ref) : undefined
}
