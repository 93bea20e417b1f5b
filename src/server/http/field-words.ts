// What is wrong with a field, as a sentence: the words of the schema library are for programmers and never leave this file.
// A schema's own message is used as it is when it is a sentence, and after the field's name when it is a fragment.
import type { z } from 'zod'

type Issue = z.core.$ZodRawIssue
type Path = readonly PropertyKey[]

export interface WrongField {
  /** Where it is, `gate.margin`; `body` for the whole. */
  readonly field: string
  readonly sentence: string
}

/** For `safeParse`: messages of a schema's own go before it. */
export function issueWords(issue: Issue): string {
  return sentenceOf(issue, issue.path ?? [])
}

export function wrongFieldOf(issue: z.core.$ZodIssue): WrongField {
  const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : []
  const path = unknown === undefined ? issue.path : [...issue.path, unknown]
  const field = path.join('.').slice(0, 200) || 'body'
  const { message } = issue
  return {
    field,
    sentence: isSentence(message) ? message : `${subjectOf(issue.path)} ${message}.`,
  }
}

function isSentence(message: string): boolean {
  return /[.!?]$/.test(message)
}

/** `The name`, `"gate.margin"`, `The body`. */
function subjectOf(path: Path): string {
  const field = path.join('.').slice(0, 200)
  if (field === '') return 'The body'
  return /^[a-z]{3,}$/.test(field) ? `The ${field}` : `"${field}"`
}

function sentenceOf(issue: Issue, path: Path): string {
  if (issue.code === 'invalid_type' && issue.input === undefined && path.length > 0) {
    return `The field "${path.join('.').slice(0, 200)}" is missing.`
  }
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    return path.length === 0
      ? `There is no field "${key.slice(0, 80)}".`
      : `${subjectOf(path)} has no field "${key.slice(0, 80)}".`
  }
  if (issue.code === 'invalid_union') {
    const inner = innermost(issue.errors)
    const at = [...path, ...(inner?.path ?? [])]
    if (inner && !isSentence(inner.message)) return `${subjectOf(at)} ${inner.message}.`
    if (inner) return sentenceOf(inner as Issue, at)
  }
  return `${subjectOf(path)} ${predicateOf(issue)}.`
}

function predicateOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`
    case 'too_big':
      return mostWords(issue.origin, { n: issue.maximum, isInclusive: issue.inclusive !== false })
    case 'too_small':
      return leastWords(issue.origin, { n: issue.minimum, isInclusive: issue.inclusive !== false })
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${issue.values.map(String).join(', ')}`
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'is not written as it must be'
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    default:
      return 'is not as it must be'
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'must be a time such as 2026-01-31T12:00:00Z',
  date: 'must be a date such as 2026-01-31',
  email: 'must be an e-mail address',
  url: 'must be a web address',
}

interface Bound {
  readonly n: number | bigint
  readonly isInclusive: boolean
}

function mostWords(origin: string, { n, isInclusive }: Bound): string {
  if (origin === 'string') return `may have at most ${count(n, 'character')}`
  if (origin === 'array' || origin === 'set') return `may have at most ${count(n, 'entry')}`
  if (Number(n) >= Number.MAX_SAFE_INTEGER) return 'is too large'
  return isInclusive ? `may be at most ${n}` : `must be less than ${n}`
}

function leastWords(origin: string, { n, isInclusive }: Bound): string {
  if (origin === 'string' || origin === 'array' || origin === 'set') {
    if (Number(n) === 1) return 'must not be empty'
    return `must have at least ${count(n, origin === 'string' ? 'character' : 'entry')}`
  }
  if (Number(n) <= Number.MIN_SAFE_INTEGER) return 'is too small'
  return isInclusive ? `must be at least ${n}` : `must be more than ${n}`
}

function count(n: number | bigint, word: 'character' | 'entry'): string {
  if (Number(n) === 1) return `1 ${word}`
  return `${n} ${word === 'entry' ? 'entries' : `${word}s`}`
}

/** Of the alternatives the one that fits best: it has the right kind of value, and something inside it is wrong. */
function innermost(
  alternatives: readonly (readonly z.core.$ZodIssue[])[],
): z.core.$ZodIssue | undefined {
  return alternatives
    .flatMap(([first]) => (first ? [first] : []))
    .find(({ path, code }) => path.length > 0 || code !== 'invalid_type')
}
