// One model of a comparison from what its package says: figures with intervals, curves, configuration. Nothing is run.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCsv } from '../../package/csv.ts'
import type { PairedSide } from '../../statistics/paired-summary.ts'
import type { Assessment } from '../assess.ts'
import type { ClassCurve } from '../curves.ts'
import type { PackageResults } from '../plots/package-plots.ts'
import type { ComparedModel, Figure } from './comparison-results.ts'
import { meanCurve } from './mean-curve.ts'

export interface ModelSource {
  readonly id: string
  readonly architecture: string
  readonly parameters: number | null
  readonly sizeBytes: number
  readonly packageDir: string
  readonly isBinary: boolean
  readonly temperature: number | null
  readonly latencyMs: number | null
  readonly results: PackageResults
}

/** Undefined when the package brings no results of a test split. */
export async function comparedModel(source: ModelSource): Promise<ComparedModel | undefined> {
  const { results, packageDir, isBinary } = source
  const { assessment, figures, curves } = results
  if (!assessment || !figures) return undefined
  const { id, architecture, parameters, sizeBytes, latencyMs, temperature } = source
  const train = await trainFile(packageDir)
  return {
    ...{ id, architecture, parameters, sizeBytes, latencyMs, temperature },
    trainingSeconds: curves?.seconds ?? null,
    configuration: configurationOf(train),
    history: (curves?.history ?? []).map((one) => ({ ...one })),
    bestEpoch: curves?.bestEpoch ?? null,
    metrics: metricsOf(assessment, { isBinary, curves: figures.curves }),
    classes: assessment.classes.map((one) => ({
      label: one.label,
      support: one.support,
      precision: plain(one.precision),
      recall: plain(one.recall),
      f1: { value: one.f1, interval: pair(one.f1Interval) },
      auc: { value: one.area?.auc ?? null, interval: pair(one.area?.interval ?? null) },
    })),
    reliability: assessment.quality.calibrated.bins.flatMap(({ predicted, observed, count }) =>
      predicted === null || observed === null ? [] : [{ predicted, observed, count }],
    ),
    confusion: assessment.confusion?.map((row) => [...row]) ?? null,
    roc: meanCurve(figures.curves.map(({ roc }) => roc)),
    pr: meanCurve(figures.curves.map(({ pr }) => [...pr].sort((a, b) => a[0] - b[0]))),
  }
}

function metricsOf(
  { accuracy, balancedAccuracy, macro, finding, quality, metrics }: Omit<Assessment, 'answers'>,
  o: { readonly isBinary: boolean; readonly curves: readonly ClassCurve[] },
): ComparedModel['metrics'] {
  const [curve] = o.isBinary ? o.curves : []
  const auc = curve ? { value: curve.auc, interval: pair(curve.aucInterval) } : plain(macro.auc)
  return {
    accuracy: plain(accuracy),
    balancedAccuracy: plain(balancedAccuracy),
    auc,
    averagePrecision: curve
      ? { value: curve.averagePrecision, interval: null }
      : plain(macro.averagePrecision),
    sensitivity: plain(finding.sensitivity),
    specificity: plain(finding.specificity),
    precision: plain(o.isBinary ? finding.ppv : macro.precision),
    f1: o.isBinary ? { value: metrics.f1, interval: null } : plain(macro.f1),
    eceBefore: { value: quality.raw.ece, interval: pair(quality.raw.eceInterval) },
    ece: { value: quality.calibrated.ece, interval: pair(quality.calibrated.eceInterval) },
    brier: { value: quality.calibrated.brier, interval: pair(quality.calibrated.brierInterval) },
  }
}

const pair = (interval: readonly [number, number] | null): [number, number] | null =>
  interval && [interval[0], interval[1]]

function plain({
  value,
  interval,
}: {
  value: number | null
  interval: readonly [number, number] | null
}): Figure {
  return { value, interval: pair(interval) }
}

interface TrainFile {
  readonly preset?: unknown
  readonly hyperparameters?: Readonly<Record<string, unknown>>
  readonly dataset?: { readonly name?: unknown; readonly fingerprint?: unknown }
}

async function trainFile(packageDir: string): Promise<TrainFile> {
  try {
    return JSON.parse(await readFile(join(packageDir, 'configs', 'train.json'), 'utf8'))
  } catch {
    return {}
  }
}

/** Settings as one level of names and plain values, e.g. `augmentation.shift`. */
function configurationOf({ preset, hyperparameters, dataset }: TrainFile) {
  const flat: ComparedModel['configuration'] = {}
  const add = (name: string, value: unknown): void => {
    if (value === undefined) return
    if (value !== null && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) add(name ? `${name}.${key}` : key, inner)
    } else if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) {
      flat[name] = value as string | number | boolean | null
    }
  }
  add('preset', preset)
  add('dataset', dataset?.name)
  add('', hyperparameters)
  return flat
}

/** What a model said about one image of its test split, and what is so. */
export interface SaidOfImage extends PairedSide {
  readonly truth: string
}

/** results/predictions.csv by the images' hashes; empty where there is none. Several labels are joined by |, in their order. */
export async function saidByImage(
  packageDir: string,
  labels: readonly string[],
): Promise<ReadonlyMap<string, SaidOfImage>> {
  const path = join(packageDir, 'results', 'predictions.csv')
  const text = await readFile(path, 'utf8').catch(() => '')
  return new Map(
    parseCsv(text).map((row) => [
      row.sha256 ?? '',
      {
        label: row.predicted_label ?? '',
        truth: row.true_label ?? '',
        probabilities: Object.fromEntries(
          labels.map((label) => [label, Number(row[`p_${label.toLowerCase()}`] ?? Number.NaN)]),
        ),
      },
    ]),
  )
}
