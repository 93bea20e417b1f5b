// Several models held against each other: trained one after another on one dataset with one seed, or versions that exist, or
// results that were stored before. Leaves results, tables and plots in a folder.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { ComparisonSource } from '../../evaluation/comparison/collect.ts'
import type { ComparisonResults } from '../../evaluation/comparison/comparison-results.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { withApi } from '../api.ts'
import { versionNamed } from '../named-version.ts'
import { printFields, printJson, printLine, printTable } from '../output.ts'
import type { GivenSettings } from './given-settings.ts'
import { type TrainOptions, trainOne } from './train-one.ts'

export interface CompareModelsOptions extends GivenSettings {
  readonly json?: true
  readonly condition?: string
  readonly dataset?: string
  readonly architectures?: readonly string[]
  readonly versions?: readonly string[]
  readonly results?: string
  readonly preset?: TrainOptions['preset']
  readonly bodyPart?: string
  readonly outputDir?: string
}

/** @throws AppError `invalid` when none or several of the three ways were asked for */
export async function compareModelsCommand(
  config: Config,
  options: CompareModelsOptions,
): Promise<void> {
  const results = await resultsFor(config, options)
  const dir = resolve(options.outputDir ?? `comparison-${results.condition}`)
  const { writeComparison } = await import('../../evaluation/comparison/write-comparison.ts')
  const files = await writeComparison(results, dir)
  if (options.json) return printJson(results)
  await print(results)
  printLine(`${files.length} files are in ${dir}.`)
}

async function resultsFor(config: Config, o: CompareModelsOptions): Promise<ComparisonResults> {
  const ways = [o.results, o.versions, o.architectures].filter((way) => way !== undefined).length
  if (ways !== 1) {
    throw new AppError(
      'invalid',
      'Specify what to compare: an image with --a and --b; or --dataset with --architectures; or --versions; or --results.',
    )
  }
  if (o.results !== undefined) return stored(o.results)
  const versions = o.versions ? await existing(config, o.versions) : await trained(config, o)
  return collected(config, versions)
}

async function stored(path: string): Promise<ComparisonResults> {
  const { parseComparison } = await import('../../evaluation/comparison/comparison-results.ts')
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('invalid', 'The file of --results cannot be read.', { cause })
  })
  return parseComparison(text)
}

function existing(config: Config, names: readonly string[]): Promise<Version[]> {
  return withApi(config, async (api) => {
    const found: Version[] = []
    for (const name of names) {
      const { condition, name: model, n } = await versionNamed(api, name)
      found.push(await api.json<Version>(`/api/v1/versions/${condition}/${model}/${n}`))
    }
    return found
  })
}

/** One after another, so that each has the whole machine; same dataset, split and seed. */
async function trained(config: Config, o: CompareModelsOptions): Promise<Version[]> {
  const { condition, dataset, architectures = [], preset = 'standard', json } = o
  if (condition === undefined || dataset === undefined) {
    throw new AppError('invalid', 'Specify what to train on: --condition and --dataset.')
  }
  const versions: Version[] = []
  for (const [i, architecture] of architectures.entries()) {
    if (!json) printLine(`${i + 1} of ${architectures.length}: ${architecture}`)
    const wishes: TrainOptions = { ...o, condition, dataset, architecture, preset }
    versions.push((await trainOne(config, { wishes, quiet: json === true })).version)
  }
  return versions
}

async function collected(config: Config, versions: readonly Version[]): Promise<ComparisonResults> {
  const [first] = versions
  if (!first) throw new AppError('invalid', 'There is nothing to compare.')
  if (versions.some(({ condition }) => condition !== first.condition)) {
    throw new AppError('invalid', 'Only versions of one condition can be compared.')
  }
  const { compareModels } = await import('../../evaluation/comparison/collect.ts')
  const sources: ComparisonSource[] = []
  for (const version of versions) sources.push(await sourceOf(config, version))
  const { condition, kind, classes } = first
  const createdAt = new Date().toISOString()
  return compareModels(sources, { condition, kind, classes, createdAt })
}

async function sourceOf(config: Config, version: Version): Promise<ComparisonSource> {
  const { condition, name, n, id, metrics } = version
  const packageDir = join(config.modelsDir, condition, name, `v${n}`)
  const { comparisonSource } = await import('../../evaluation/comparison/comparison-source.ts')
  return comparisonSource({ id, packageDir, testSet: metrics?.testSet ?? null }, config.threads)
}

async function print(results: ComparisonResults): Promise<void> {
  const { METRICS } = await import('../../evaluation/comparison/comparison-results.ts')
  const shown = ['accuracy', 'balancedAccuracy', 'auc', 'ece'] as const
  const rows = results.models.map(({ id, parameters, metrics }) => [
    id,
    parameters === null ? '–' : `${(parameters / 1e6).toFixed(1)} M`,
    ...shown.map((name) => {
      const { value = null, interval = null } = metrics[name] ?? {}
      if (value === null) return '–'
      const ends = interval?.map((end) => end.toFixed(3)).join(' to ')
      return ends ? `${value.toFixed(3)} (${ends})` : value.toFixed(3)
    }),
  ])
  const columns = ['model', 'parameters', ...shown.map((name) => METRICS[name].title)]
  printTable(rows, { columns, none: '' })
  printFields({ 'test images': String(results.images) })
  for (const line of results.summary.conclusions) printLine(line)
}
