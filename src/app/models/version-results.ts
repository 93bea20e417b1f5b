// What a version's package says about its training and its test split, read once: packages never change.

import type { Plot } from '../../evaluation/plots/node.ts'
import type { PackageResults } from '../../evaluation/plots/package-plots.ts'
import { readResultsApart } from '../../evaluation/plots/plot-job.ts'
import { historyPlots, resultPlots } from '../../evaluation/plots/result-plots.ts'
import { packageDir } from '../../registry/home/store.ts'
import type { Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'

/** By digest, the last used ones. */
const kept = new Map<string, Promise<PackageResults>>()
const MAX_KEPT = 50
const NOTHING: PackageResults = { curves: null, figures: null, assessment: null }

/** Parts that the package lacks are null; of one whose files are gone or unreadable all are. */
export function versionResults(
  services: Uses<'log' | 'store'>,
  version: Version,
): Promise<PackageResults> {
  const found = kept.get(version.sha256)
  kept.delete(version.sha256)
  const results = found ?? readResults(services, version)
  kept.set(version.sha256, results)
  for (const digest of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(digest)
  return results
}

async function readResults(
  services: Uses<'log' | 'store'>,
  version: Version,
): Promise<PackageResults> {
  if (version.status === 'deleted' || version.status === 'quarantined') {
    kept.delete(version.sha256)
    return NOTHING
  }
  try {
    return await readResultsApart(packageDir(services.store, version), {
      kind: version.kind,
      classes: version.classes,
      calibration: version.calibration,
      operatingPoints: version.operatingPoints,
      defaultOperatingPoint: version.defaultOperatingPoint,
      testSet: version.metrics?.testSet ?? '',
    })
  } catch (error) {
    services.log.warn({ err: error, version: version.id }, 'results of a package not read')
    kept.delete(version.sha256)
    return NOTHING
  }
}

/** Training curves first, then what the test split showed; none where the package does not say. */
export function plotsOf({ curves, figures }: PackageResults): Plot[] {
  return [...(curves ? historyPlots(curves) : []), ...(figures ? resultPlots(figures) : [])]
}
