// Files that are left out by hand: paths, or patterns with `*`, `?` and `**`. Anything else in a pattern means itself. The time to
// match is the length of the path times the length of the pattern, whatever the pattern is.
import { AppError } from '../../../errors.ts'

/** Of all patterns that are no plain paths, together. */
const MAX_PATTERN_LENGTH = 4000

/** `any`: one character but `/`; `star`: any number of them; `deep`: any number of characters; `folders`: none or more whole folders. */
type Token = { readonly is: 'char'; readonly char: string } | { readonly is: Wild }
type Wild = 'any' | 'star' | 'deep' | 'folders'

/** @throws AppError `invalid` when the patterns are too long */
export function excluder(patterns: readonly string[]): (file: string) => boolean {
  const plain = new Set(patterns)
  const wild = patterns.filter((pattern) => /[*?]/.test(pattern))
  if (wild.reduce((sum, { length }) => sum + length, 0) > MAX_PATTERN_LENGTH) {
    throw new AppError(
      'invalid',
      `Patterns of files to leave out may be ${MAX_PATTERN_LENGTH.toLocaleString('en')} characters long together; name a folder with ** in place of its files.`,
      { extra: { field: 'exclude' } },
    )
  }
  const compiled = wild.map(tokensOf)
  return (file) => plain.has(file) || compiled.some((tokens) => matches(tokens, file))
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at)
    const stars = /^\*+/.exec(rest)?.[0].length ?? 0
    const isWhole = at === 0 || pattern[at - 1] === '/'
    if (stars >= 2 && isWhole && rest[stars] === '/') {
      tokens.push({ is: 'folders' })
      at += stars + 1
    } else if (stars > 0) {
      tokens.push({ is: stars === 1 ? 'star' : 'deep' })
      at += stars
    } else {
      const char = rest[0] ?? ''
      tokens.push(char === '?' ? { is: 'any' } : { is: 'char', char })
      at++
    }
  }
  return tokens
}

/** All ways at once: at which places of the pattern the file so far can have arrived (Thompson 1968). */
function matches(tokens: readonly Token[], file: string): boolean {
  let now = new Places(tokens)
  let next = new Places(tokens)
  now.arrive(0)
  for (const char of file) {
    next.clear()
    if (!now.step(char, next)) return false
    const spare = now
    now = next
    next = spare
  }
  return now.isAtEnd
}

class Places {
  readonly #tokens: readonly Token[]
  readonly #at: Uint8Array
  /** Within a folder that the token passes over. */
  readonly #within: Uint8Array

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
    this.#at = new Uint8Array(tokens.length + 1)
    this.#within = new Uint8Array(tokens.length + 1)
  }

  get isAtEnd(): boolean {
    return this.#at[this.#tokens.length] === 1
  }

  clear(): void {
    this.#at.fill(0)
    this.#within.fill(0)
  }

  /** With the places that are reached without a character. */
  arrive(place: number): void {
    for (let at = place; this.#at[at] === 0; at++) {
      this.#at[at] = 1
      const is = this.#tokens[at]?.is
      if (is === 'folders') this.#within[at] = 1
      if (is !== 'star' && is !== 'deep' && is !== 'folders') return
    }
  }

  /** False when no place is reached. */
  step(char: string, next: Places): boolean {
    let isAny = false
    for (let place = 0; place < this.#tokens.length; place++) {
      if (this.#at[place] === 0 && this.#within[place] === 0) continue
      const token = this.#tokens[place] as Token
      if (this.#within[place] === 1) {
        next.#within[place] = 1
        if (char === '/') next.arrive(place + 1)
        isAny = true
      }
      if (this.#at[place] === 0) continue
      const { is } = token
      const isPassed = is === 'char' ? token.char === char : is === 'any' && char !== '/'
      const isKept = is === 'deep' || (is === 'star' && char !== '/')
      if (isPassed) next.arrive(place + 1)
      else if (isKept) next.arrive(place)
      isAny ||= isPassed || isKept
    }
    return isAny
  }
}
