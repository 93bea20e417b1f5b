// Comma-separated values as RFC 4180 has them, read and written. What columns mean is left to the callers.

export interface Table {
  /** As the header writes them, trimmed. */
  readonly columns: readonly string[]
  /** A cell for each column, trimmed; lines without any content are left out. */
  readonly rows: readonly (readonly string[])[]
}

/** Quotes, CRLF, a byte-order mark and `;` or tab are understood. */
export function parseTable(text: string): Table {
  const body = text.replace(/^\uFEFF/, '')
  const firstLine = body.slice(0, body.search(/\r|\n|$/))
  const delimiter = [',', ';', '\t'].reduce((best, one) =>
    firstLine.split(one).length > firstLine.split(best).length ? one : best,
  )
  const [header = [], ...records] = splitRecords(body, delimiter)
  const columns = header.map((name) => name.trim())
  const rows = records
    .filter((record) => record.some((field) => field !== ''))
    .map((record) => columns.map((_, column) => (record[column] ?? '').trim()))
  return { columns, rows }
}

/** Rows as objects keyed by the header in lower case. */
export function parseCsv(text: string): Record<string, string>[] {
  const { columns, rows } = parseTable(text)
  const names = columns.map((name) => name.toLowerCase())
  return rows.map((row) =>
    Object.fromEntries(names.map((name, column) => [name, row[column] ?? ''])),
  )
}

function splitRecords(text: string, delimiter: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let field = ''
  let quoted = false
  const endRecord = (): void => {
    record.push(field)
    records.push(record)
    record = []
    field = ''
  }
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (quoted) {
      if (char !== '"') field += char
      else if (text[at + 1] === '"') {
        field += '"'
        at++
      } else quoted = false
    } else if (char === '"' && field.trim() === '') {
      quoted = true
      field = ''
    } else if (char === delimiter) {
      record.push(field)
      field = ''
    } else if (char === '\n') endRecord()
    else if (char !== '\r') field += char
  }
  if (field !== '' || record.length > 0) endRecord()
  return records
}

export type Cell = string | number | boolean | null | undefined

/** One header line and a line for each row; null and undefined are empty, numbers keep 6 significant digits. */
export function formatCsv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [columns, ...rows].map((row) => row.map(formatCell).join(','))
  return `${lines.join('\n')}\n`
}

function formatCell(cell: Cell): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number') {
    return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(6)))
  }
  const text = String(cell)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
