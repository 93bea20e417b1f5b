// Answers as a table in a file, written line by line as they come.
import { type FileHandle, open } from 'node:fs/promises'
import { type CsvEntry, predictionCsv } from '../app/diagnosis/prediction-csv.ts'
import { AppError, messageOf } from '../errors.ts'
import type { Condition } from '../registry/conditions/conditions.ts'
import type { Api } from './api.ts'

export interface PredictionTable {
  add(entry: CsvEntry): Promise<void>
  close(): Promise<void>
}

/** @throws AppError `unknown-condition`; `unavailable` when the file cannot be written */
export async function openTable(
  api: Api,
  path: string,
  { condition }: { readonly condition: string },
): Promise<PredictionTable> {
  const { classes } = await api.json<Condition>(
    `/api/v1/conditions/${encodeURIComponent(condition)}`,
  )
  const { header, line } = predictionCsv(classes.map(({ label }) => label))
  const inWords = (cause: unknown): never => {
    const message = `The table could not be written (${messageOf(cause).split(':')[0]}).`
    throw new AppError('unavailable', message, { cause })
  }
  const file: FileHandle = await open(path, 'w').catch(inWords)
  const write = (text: string) => file.appendFile(text).then(() => undefined, inWords)
  await write(header)
  return { add: (entry) => write(line(entry)), close: () => file.close() }
}
