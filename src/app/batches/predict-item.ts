// One image of a batch predicted; whatever is wrong with it becomes its own line.

import { predictImage } from '../diagnosis/predict-image.ts'
import type { CsvEntry } from '../diagnosis/prediction-csv.ts'
import type { Shadow } from '../diagnosis/shadow.ts'
import { whenFree } from '../diagnosis/when-free.ts'
import { asAppError, problemOf } from '../problem.ts'
import type { Uses } from '../services.ts'
import type { Batch, BatchItem } from './batch-item.ts'

/** A batch has time: while others fill the queue, or the version is loaded, it waits its turn. */
export async function predictItem(
  services: Uses<
    'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'makeReady' | 'metrics' | 'runtime' | 'store'
  > & { readonly shadow: Shadow },
  o: {
    readonly request: Batch['request']
    readonly item: BatchItem
    readonly signal?: AbortSignal
  },
): Promise<CsvEntry['result']> {
  const { request, item, signal } = o
  try {
    const image = await item.read()
    const work = () => predictImage(services, { ...request, image, signal })
    return await whenFree(services, { work, signal })
  } catch (error) {
    const appError = asAppError(error)
    if (appError.code === 'internal' && !services.leaving.aborted)
      services.log.error({ err: error }, 'an image of a batch failed')
    return problemOf(appError)
  }
}
