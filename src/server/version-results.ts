// What a version's package says about its training and its test split, read once: packages never change.
import { packageDir } from '../registry/home/store.ts'
import type { Version } from '../registry/versions/versions.ts'
import type { Plot } from '../training/plots/node.ts'
import type { PackageResults } from '../training/plots/package-plots.ts'
import { readResultsApart } from '../training/plots/plot-job.ts'
import { historyPlots, resultPlots } from '../training/plots/result-plots.ts'
import type { Home } from './home.ts'

/** By digest, the last used ones. */
const kept = new Map<string, Promise<PackageResults>>()
const MOST_KEPT = 50
const NOTHING: PackageResults = { curves: null, figures: null, assessment: null }

/** Parts that the package lacks are null; of one whose files are gone or unreadable all are. */
export function versionResults(home: Home, version: Version): Promise<PackageResults> {
  const found = kept.get(version.sha256)
  kept.delete(version.sha256)
  const results = found ?? readResults(home, version)
  kept.set(version.sha256, results)
  for (const digest of [...kept.keys()].slice(0, -MOST_KEPT)) kept.delete(digest)
  return results
}

async function readResults(home: Home, version: Version): Promise<PackageResults> {
  if (version.status === 'deleted' || version.status === 'quarantined') {
    kept.delete(version.sha256)
    return NOTHING
  }
  try {
    return await readResultsApart(packageDir(home.store, version), {
      kind: version.kind,
      classes: version.classes,
      calibration: version.calibration,
      operatingPoints: version.operatingPoints,
      defaultOperatingPoint: version.defaultOperatingPoint,
      testSet: version.metrics?.testSet ?? '',
    })
  } catch (error) {
    home.log.warn({ err: error, version: version.id }, 'results of a package not read')
    kept.delete(version.sha256)
    return NOTHING
  }
}

/** Training curves first, then what the test split showed; none where the package does not say. */
export function plotsOf({ curves, figures }: PackageResults): Plot[] {
  return [...(curves ? historyPlots(curves) : []), ...(figures ? resultPlots(figures) : [])]
}
