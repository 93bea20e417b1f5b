// What a person calls a version on the command line: condition/name@number, or condition@alias.
import { AppError } from '../errors.ts'
import { parseVersion, type VersionRef } from '../package/ids.ts'
import type { Api } from './api.ts'

const ALIAS = /^([^/@]+)@([^/@]+)$/

/** `pneumonia@champion` in its two parts. @throws AppError `invalid` */
export function parseAlias(text: string): { condition: string; alias: string } {
  const [, condition, alias] = ALIAS.exec(text) ?? []
  if (condition !== undefined && alias !== undefined) return { condition, alias }
  throw new AppError(
    'invalid',
    `"${text.slice(0, 80)}" is not an alias: write condition@alias, as pneumonia@champion.`,
  )
}

/** An alias is looked up. @throws AppError `unknown-version` */
export async function versionNamed(api: Api, text: string): Promise<VersionRef> {
  const [, condition, alias] = ALIAS.exec(text) ?? []
  if (condition === undefined) return parseVersion(text)
  const path = `/api/v1/conditions/${encodeURIComponent(condition)}/aliases`
  const { items } = await api.json<{ items: { alias: string; version: string }[] }>(path)
  const found = items.find((one) => one.alias === alias)
  if (found) return parseVersion(found.version)
  throw new AppError('unknown-version', `No version of "${condition}" is called "${alias}".`)
}
