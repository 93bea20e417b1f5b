// Where the prepared pixels of a dataset lie.
import { join } from 'node:path'
import type { Store } from '../../registry/home/store.ts'

export function preparedPlace({ dataDir }: Pick<Store, 'dataDir'>, dataset: string): string {
  return join(dataDir, 'datasets', dataset)
}
