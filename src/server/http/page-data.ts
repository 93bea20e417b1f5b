// What several pages show: the conditions with their versions to choose from, the examples, and problems on a form.
import type { Context } from 'hono'
import type { ProblemProps } from '../../../views/shared/error.ts'
import type { Example, UploadLimits } from '../../../views/shared/image-form.ts'
import type { ConditionChoice } from '../../../views/shared/version-parts.ts'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import { asAppError, problemOf } from '../../app/problem.ts'
import type { Uses } from '../../app/services.ts'
import { findVersionRef } from '../../package/ids.ts'
import {
  type Condition,
  findCondition,
  listConditions,
} from '../../registry/conditions/conditions.ts'
import { newestVersions } from '../../registry/versions/version-list.ts'
import { findVersion, type Version } from '../../registry/versions/versions.ts'
import type { AppEnv } from './app-env.ts'

/** Of each condition at most so many can be chosen from a list; older ones are found on the models page. */
const CHOICES = 200

/** Every condition with the versions that can be used, newest first. */
export async function listChoices(services: Uses<'db'>): Promise<ConditionChoice[]> {
  const choices: ConditionChoice[] = []
  for (const condition of await listConditions(services.db)) {
    const versions = await choosableVersions(services, condition)
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
export async function choosableVersions(
  services: Uses<'db'>,
  condition: Condition,
): Promise<Version[]> {
  const newest = await newestVersions(services.db, { condition: condition.id, limit: CHOICES })
  if (!condition.active || newest.some((one) => one.active)) return newest
  const active = await findVersionById(services, condition.active.version)
  return active ? [...newest, active] : newest
}

export async function exampleProps(services: {
  readonly examples: ExampleGallery
}): Promise<Example[]> {
  return (await services.examples.list()).map(({ id, condition, label }) => ({
    id,
    condition,
    title: label,
    thumbnail: `/examples/${id}?size=thumb`,
    image: `/examples/${id}`,
  }))
}

export function uploadLimits(services: Uses<'config'>): UploadLimits {
  const { maxUploadBytes, maxPixels } = services.config
  return { maxUploadBytes, maxPixels }
}

/** Undefined when it was deleted since, or never was. */
export async function findVersionById(
  services: Uses<'db'>,
  id: string,
): Promise<Version | undefined> {
  const ref = findVersionRef(id)
  return ref && findVersion(services.db, ref)
}

export function findConditionById(
  services: Uses<'db'>,
  id: string,
): Promise<Condition | undefined> {
  return findCondition(services.db, id)
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
