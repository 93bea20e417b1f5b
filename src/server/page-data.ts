// What several pages show: the conditions with their versions to choose from, the examples, and problems on a form.
import type { Context } from 'hono'
import type { ProblemProps } from '../../views/error.ts'
import type { Example, UploadLimits } from '../../views/image-form.ts'
import type { ConditionChoice } from '../../views/version-parts.ts'
import { findVersionRef } from '../package/ids.ts'
import { type Condition, findCondition, listConditions } from '../registry/conditions/conditions.ts'
import { newestVersions } from '../registry/versions/version-list.ts'
import { findVersion, type Version } from '../registry/versions/versions.ts'
import type { AppEnv } from './app-env.ts'
import { listExamples } from './examples.ts'
import type { Home } from './home.ts'
import { asAppError, problemOf } from './problem.ts'

/** Of each condition at most so many can be chosen from a list; older ones are found on the models page. */
const CHOICES = 200

/** Every condition with the versions that can be used, newest first. */
export async function listChoices(home: Home): Promise<ConditionChoice[]> {
  const choices: ConditionChoice[] = []
  for (const condition of await listConditions(home.db)) {
    const versions = await choosableVersions(home, condition)
    const isUsable = (one: Version) => one.status !== 'quarantined' || one.active
    choices.push({ condition, versions: versions.filter(isUsable) })
  }
  return choices
}

export function newestFirst(versions: readonly Version[]): Version[] {
  return versions.toSorted((a, b) =>
    a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : b.n - a.n,
  )
}

/** The newest, and the active one, however old it is. */
export async function choosableVersions(home: Home, condition: Condition): Promise<Version[]> {
  const newest = await newestVersions(home.db, { condition: condition.id, limit: CHOICES })
  if (!condition.active || newest.some((one) => one.active)) return newest
  const active = await findVersionById(home, condition.active.version)
  return active ? [...newest, active] : newest
}

export async function exampleProps(home: Home): Promise<Example[]> {
  return (await listExamples(home)).map(({ id, condition, label }) => ({
    id,
    condition,
    title: label,
    thumbnail: `/examples/${id}?size=thumb`,
    image: `/examples/${id}`,
  }))
}

export function uploadLimits(home: Home): UploadLimits {
  const { maxUploadBytes, maxPixels } = home.config
  return { maxUploadBytes, maxPixels }
}

/** Undefined when it was deleted since, or never was. */
export async function findVersionById(home: Home, id: string): Promise<Version | undefined> {
  const ref = findVersionRef(id)
  return ref && findVersion(home.db, ref)
}

export function findConditionById(home: Home, id: string): Promise<Condition | undefined> {
  return findCondition(home.db, id)
}

/** An error as a form shows it. Anything that is no refusal of ours is thrown on, to be logged and answered as such. */
export function problemProps(error: unknown): ProblemProps {
  const appError = asAppError(error)
  if (appError.code === 'internal') throw error
  return problemOf(appError)
}

/** Sends a page its answer: a new address to go to. */
export function seeOther(c: Context<AppEnv>, path: string): Response {
  return c.redirect(path, 303)
}
