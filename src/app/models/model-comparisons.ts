// Versions of one condition held against each other, worked out once for each choice: packages never change.
import { AppError } from '../../errors.ts'
import { compareApart } from '../../evaluation/comparison/comparison-process.ts'
import type { ComparisonResults } from '../../evaluation/comparison/comparison-results.ts'
import { formatVersion } from '../../package/ids.ts'
import { packageDir } from '../../registry/home/store.ts'
import type { Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'

export const MAX_COMPARED = 20
const MAX_KEPT = 20
/** By the digests of the versions. */
const kept = new Map<string, Promise<ComparisonResults>>()

/** In the order that was asked for. @throws AppError `invalid`, `invalid-package` */
export function comparisonOf(
  services: Uses<'store' | 'clock'>,
  versions: readonly Version[],
): Promise<ComparisonResults> {
  const key = versions.map(({ sha256 }) => sha256).join()
  const found = kept.get(key)
  if (found) return found
  const made = compare(services, versions)
  kept.set(key, made)
  made.catch(() => kept.delete(key))
  for (const old of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(old)
  return made
}

async function compare(
  { store, clock }: Uses<'store' | 'clock'>,
  versions: readonly Version[],
): Promise<ComparisonResults> {
  const [first] = versions
  if (!first || versions.length < 2) {
    throw new AppError('invalid', 'Choose at least two versions to compare.')
  }
  if (versions.length > MAX_COMPARED) {
    throw new AppError('invalid', `At most ${MAX_COMPARED} versions are compared at once.`)
  }
  const { condition, kind, classes } = first
  if (versions.some((one) => one.condition !== condition)) {
    throw new AppError('invalid', 'Only versions of one condition can be compared.')
  }
  const gone = versions.find(({ status }) => status === 'deleted' || status === 'quarantined')
  if (gone) throw new AppError('invalid', `${gone.id} is ${gone.status}, so it cannot be compared.`)
  const packages = versions.map((version) => ({
    id: formatVersion(version),
    packageDir: packageDir(store, version),
    testSet: version.metrics?.testSet ?? null,
  }))
  return compareApart(packages, { condition, kind, classes, createdAt: clock().toISOString() })
}
