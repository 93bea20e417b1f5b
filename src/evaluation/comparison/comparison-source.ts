// What a comparison needs of one package: its figures, read again from its files, and how long its graph takes here.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { readManifest } from '../../package/manifest.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import { readPackageResults } from '../plots/package-plots.ts'
import type { ComparisonSource } from './collect.ts'
import { measureLatency } from './latency.ts'

export interface ComparedPackage {
  readonly id: string
  readonly packageDir: string
  readonly testSet: string | null
}

/** Blocks its process while the graph runs. @throws AppError `invalid-package` when files are missing or damaged */
export async function comparisonSource(
  { id, packageDir, testSet }: ComparedPackage,
  threads: number,
): Promise<ComparisonSource> {
  const { model } = await readServingConfig(packageDir)
  const { manifest } = await readManifest(packageDir)
  const { kind, classes } = model
  const { calibration, operatingPoints, defaultOperatingPoint } = manifest
  const results = await readPackageResults(packageDir, {
    ...{ kind, classes, calibration, operatingPoints },
    defaultOperatingPoint: defaultOperatingPoint ?? null,
    testSet: testSet ?? '',
  })
  return {
    id,
    packageDir,
    testSet,
    results,
    architecture: model.architecture,
    parameters: model.parameters?.total ?? null,
    sizeBytes: await sizeOf(join(packageDir, model.graph.file)),
    isBinary: kind === 'binary',
    temperature: calibration?.temperature ?? null,
    latencyMs: await measureLatency(packageDir, threads),
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (cause) {
    throw new AppError('invalid-package', 'The graph of the model is missing.', { cause })
  }
}
