// Names that people give to versions of a condition, as `champion`: they are moved, always to a verified version, and
// stand wherever a version is named, written `pneumonia@champion`. Each move is a row of `changes`.
import { AppError } from '../../errors.ts'
import { findVersionRef, formatVersion, isName, type VersionRef } from '../../package/ids.ts'
import { recordChanges } from '../conditions/changes.ts'
import { getCondition } from '../conditions/conditions.ts'
import { exclusive } from '../home/exclusive.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { getVersion, versionRowId } from './versions.ts'

export interface Alias {
  readonly alias: string
  /** `condition/name@n` */
  readonly version: string
}

export interface AliasMove {
  readonly condition: string
  readonly alias: string
  /** null: the alias is taken away. */
  readonly version: VersionRef | null
  readonly actor: Actor
  readonly reason?: string | undefined
  readonly clock: Clock
}

/** Begins with a letter, so that it is never taken for a number. */
const ALIAS = /^[a-z][a-z0-9._-]{0,31}$/

/** `pneumonia@champion` in its two parts; undefined when the text is written otherwise. */
export function findAliasRef(text: string): { condition: string; alias: string } | undefined {
  const [, condition = '', alias = ''] = /^([^/@]+)@([^/@]+)$/.exec(text.trim()) ?? []
  return isName(condition) && ALIAS.test(alias) ? { condition, alias } : undefined
}

/** In the order of their names. */
export async function listAliases(db: Db, condition: string): Promise<Alias[]> {
  const rows = await db
    .selectFrom('aliases')
    .innerJoin('versions', 'versions.id', 'aliases.version')
    .select(['aliases.alias', 'versions.condition', 'versions.name', 'versions.n'])
    .where('aliases.condition', '=', condition)
    .orderBy('aliases.alias')
    .execute()
  return rows.map(({ alias, ...ref }) => ({ alias, version: formatVersion(ref) }))
}

/**
 * What a person calls a version, `condition/name@n` or `condition@alias`, as its parts. That the first exists is not
 * looked at. @throws AppError `unknown-version` when it is written otherwise or there is no such alias; `conflict` when
 * what it points at is no longer verified
 */
export async function resolveVersion(db: Db, text: string): Promise<VersionRef> {
  const ref = findVersionRef(text.trim())
  if (ref) return ref
  const asked = findAliasRef(text)
  if (!asked) {
    throw new AppError(
      'unknown-version',
      `"${text.slice(0, 160)}" is not a version: write condition/name@number or condition@alias.`,
    )
  }
  const { condition, alias } = asked
  const row = await db
    .selectFrom('aliases')
    .innerJoin('versions', 'versions.id', 'aliases.version')
    .select(['versions.condition', 'versions.name', 'versions.n', 'versions.status'])
    .where('aliases.condition', '=', condition)
    .where('aliases.alias', '=', alias)
    .executeTakeFirst()
  if (!row) {
    throw new AppError('unknown-version', `No version of "${condition}" is called "${alias}".`)
  }
  const { status, ...found } = row
  if (status === 'verified') return found
  throw new AppError(
    'conflict',
    `${condition}@${alias} points at ${formatVersion(found)}, which is ${status} now; move it to a verified version.`,
  )
}

/**
 * Points it at the version, from wherever it pointed before; the same again adds no row.
 * @throws AppError `unknown-condition`, `unknown-version`; `invalid` for a name that cannot be one; `unevaluated` or
 * `conflict` when the version is not verified
 */
export function moveAlias(db: Db, move: AliasMove): Promise<Alias[]> {
  const { condition, alias: text, version: ref, actor, reason, clock } = move
  const alias = text.trim().toLowerCase()
  const work = async (): Promise<Alias[]> => {
    await getCondition(db, condition)
    if (!ALIAS.test(alias)) {
      throw new AppError(
        'invalid',
        'An alias has 1 to 32 lower-case letters, digits, dots or dashes and begins with a letter, as "champion".',
      )
    }
    const before = (await listAliases(db, condition)).find((one) => one.alias === alias)?.version
    const after = ref && (await pointable(db, { condition, ref }))
    if (before === (after ?? undefined)) return listAliases(db, condition)
    await db.transaction().execute(async (trx) => {
      await trx
        .deleteFrom('aliases')
        .where('condition', '=', condition)
        .where('alias', '=', alias)
        .execute()
      if (ref) {
        const version = await versionRowId(trx, ref)
        await trx.insertInto('aliases').values({ condition, alias, version }).execute()
      }
      const values = { [`alias:${alias}`]: after }
      await recordChanges(trx, { subject: condition, values, actor, reason, clock })
    })
    return listAliases(db, condition)
  }
  return exclusive(db, { key: condition, work })
}

async function pointable(
  db: Db,
  { condition, ref }: { condition: string; ref: VersionRef },
): Promise<string> {
  const version = await getVersion(db, ref)
  if (version.condition !== condition) {
    throw new AppError('unknown-version', `${version.id} is not a version of ${condition}.`)
  }
  if (version.status === 'verified') return version.id
  if (version.status === 'unevaluated') {
    throw new AppError(
      'unevaluated',
      `${version.id} has no metrics; an alias may only point at a verified version. Evaluate it first.`,
    )
  }
  throw new AppError(
    'conflict',
    `${version.id} is ${version.status}; an alias may only point at a verified version.`,
  )
}

/** As `condition/name@n` or `condition@alias`. @throws AppError `unknown-version` when the text is none of this condition */
export async function versionOfCondition(
  db: Db,
  { condition, text }: { condition: string; text: string },
): Promise<VersionRef> {
  const ref = await resolveVersion(db, text)
  if (ref.condition === condition) return ref
  throw new AppError(
    'unknown-version',
    `"${text.slice(0, 160)}" is not a version of ${condition}: write ${condition}/name@number.`,
  )
}
