// One image of a batch read; whatever is wrong with it becomes its own line.

import type { Home } from '../home.ts'
import type { CsvEntry } from '../prediction-csv.ts'
import { asAppError, problemOf } from '../problem.ts'
import { readWithVersion } from '../reading.ts'
import { whenFree } from '../when-free.ts'
import type { BatchItem } from './batch-item.ts'
import type { Batch } from './open-batch.ts'

/** A batch has time: while others fill the queue, or the version is loaded, it waits its turn. */
export async function readItem(
  home: Home,
  o: {
    readonly request: Batch['request']
    readonly item: BatchItem
    readonly signal?: AbortSignal
  },
): Promise<CsvEntry['result']> {
  const { request, item, signal } = o
  try {
    const image = await item.read()
    const work = () => readWithVersion(home, { ...request, image, signal })
    return (await whenFree(home, { work, signal })).prediction
  } catch (error) {
    const appError = asAppError(error)
    if (appError.code === 'internal' && !home.leaving.aborted)
      home.log.error({ err: error }, 'an image of a batch failed')
    return problemOf(appError)
  }
}
