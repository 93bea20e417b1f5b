// What every command has in common: a description, an example, `--json`, and the checks of its options.
import { type Command, InvalidArgumentError } from 'commander'

/** A command with an example in its help and `--json`, as each of ours has. */
export function command(
  parent: Command,
  usage: string,
  about: { readonly does: string; readonly example: string },
): Command {
  return parent
    .command(usage)
    .description(about.does)
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', `\nExample:\n  ${about.example}`)
    .showSuggestionAfterError(false)
}

/** For options that take a whole number. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

/** For options that take a share, 0 to 1. */
export function fraction(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

/** A query string of what is set, with its question mark; empty when nothing is. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? '' : `?${search}`
}
