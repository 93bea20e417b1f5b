// The log of a training run, out of the events of its job.
import type { Db } from '../schema/database.ts'

/** The last lines, oldest first. */
export async function lastLogLines(
  db: Db,
  { run, limit }: { readonly run: string; readonly limit: number },
): Promise<{ readonly at: string; readonly text: string }[]> {
  const rows = await db
    .selectFrom('job_events')
    .select(['data', 'at'])
    .where('job', '=', run)
    .where('type', '=', 'log')
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return rows
    .map(({ data, at }) => ({ at, text: (JSON.parse(data) as { text: string }).text }))
    .reverse()
}
