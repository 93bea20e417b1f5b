// Names of conditions, packages and versions: one place that checks, parses and writes them (CONTRACT section 1).
import { AppError } from '../errors.ts'

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const RESERVED = new Set(['inbox', 'logs'])

/** A version without its text form. `n` counts from 1. */
export interface VersionRef {
  readonly condition: string
  readonly name: string
  readonly n: number
}

export function isName(text: string): boolean {
  return NAME.test(text) && !RESERVED.has(text)
}

/** Lower-cases and checks a condition id or package name. @throws AppError `invalid` */
export function parseName(text: string, what: 'condition' | 'name'): string {
  const name = text.trim().toLowerCase()
  if (isName(name)) return name
  throw new AppError(
    'invalid',
    `"${text.slice(0, 80)}" cannot be a ${what}: use 1 to 64 letters a-z, digits, dots, dashes or underscores, ` +
      'starting with a letter or digit; "inbox" and "logs" are taken.',
  )
}

/** `pneumonia/densenet121-standard@3` */
export function formatVersion(ref: VersionRef): string {
  return `${ref.condition}/${ref.name}@${ref.n}`
}

/** `pneumonia/densenet121-standard/3`, for URL paths */
export function versionPath(ref: VersionRef): string {
  return `${ref.condition}/${ref.name}/${ref.n}`
}

/** The parts of `condition/name@n`, or undefined when the text is no such id. */
export function findVersionRef(text: string): VersionRef | undefined {
  const match = /^([^/@]+)\/([^/@]+)@([1-9]\d{0,8})$/.exec(text)
  if (!match) return undefined
  const [, condition = '', name = '', n] = match
  return isName(condition) && isName(name) ? { condition, name, n: Number(n) } : undefined
}

/** The condition of `condition/name@n` or of `condition@alias`. @throws AppError `unknown-version` */
export function conditionNamed(text: string): string {
  const [, condition = ''] = /^([^/@]+)[/@]/.exec(text.trim()) ?? []
  return isName(condition) ? condition : parseVersion(text).condition
}

/** @throws AppError `unknown-version` */
export function parseVersion(text: string): VersionRef {
  const ref = findVersionRef(text)
  if (ref) return ref
  throw new AppError(
    'unknown-version',
    `"${text.slice(0, 200)}" is not a version: write condition/name@number.`,
  )
}
