// How results look in a terminal: aligned columns, plain lines, or JSON. Writes to standard output only.

/** Text from elsewhere without characters that would steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}

export function printLine(text = ''): void {
  process.stdout.write(`${printable(text)}\n`)
}

/** One value as one line, so that several make a stream that programs can read. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

type Cell = string | number | null | undefined

/** Aligned columns under a heading; says `none` instead when there are no rows. */
export function printTable(
  rows: readonly (readonly Cell[])[],
  { columns, none }: { readonly columns: readonly string[]; readonly none: string },
): void {
  if (rows.length === 0) {
    printLine(none)
    return
  }
  const all = [[...columns], ...rows.map((row) => row.map(cellText))]
  const widths = columns.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)))
  for (const row of all) {
    printLine(
      row
        .map((text, i) => text.padEnd(widths[i] as number))
        .join('  ')
        .trimEnd(),
    )
  }
}

/** `name  value` lines; what is undefined or null is left out. */
export function printFields(fields: Readonly<Record<string, Cell>>): void {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)
  const width = Math.max(...known.map(([name]) => name.length))
  for (const [name, value] of known) printLine(`${name.padEnd(width)}  ${cellText(value)}`)
}

function cellText(value: Cell): string {
  if (value === null || value === undefined) return '-'
  return printable(String(value)).replace(/\s+/g, ' ')
}

/** Three decimals for a share or probability, `-` where unknown; never rounded to a certainty that it is not. */
export function share(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  if (value < 1 && value > 0.9995) return '>0.999'
  if (value > 0 && value < 0.0005) return '<0.001'
  return value.toFixed(3)
}

/** 1.5 MiB */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = -1
  do {
    value /= 1024
    unit++
  } while (value >= 1024 && unit < units.length - 1)
  return `${value.toFixed(1)} ${units[unit]}`
}
