// The plots of a package: written when a run ends, and drawn again for a page from what the package says about itself, so
// that a package of any age has them.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chooseOperatingPoint, defaultOperatingPoint } from '../../inference/decide.ts'
import { positiveIndex } from '../../inference/scores.ts'
import { parseCsv } from '../../package/csv.ts'
import type {
  Calibration,
  ClassLabel,
  ConditionKind,
  OperatingPoint,
} from '../../package/schema.ts'
import { type Assessment, assess } from '../assess.ts'
import type { Evaluation } from '../evaluate.ts'
import type { Outputs } from '../probabilities.ts'
import { readHistory } from '../training-history.ts'
import { figuresOf, historyPlots, type ResultFigures, resultPlots } from './result-plots.ts'
import type { TrainingCurves } from './training-curves.ts'
import { plotFiles } from './write-plots.ts'

/** What was said about one image, and what it shows: by class, in their order. */
interface Labelled {
  readonly logits: readonly number[]
  readonly is: readonly boolean[]
}

/** Writes results/<plot>.png and .pdf below the package folder. */
export async function writePlots(
  packageDir: string,
  o: {
    readonly kind: ConditionKind
    readonly evaluation: Evaluation
    /** Of the test split, in the order of the answers. */
    readonly images: readonly { readonly classes: readonly number[] }[]
    readonly curves: TrainingCurves
    /** Which model it is. */
    readonly about: string
  },
): Promise<void> {
  const { evaluation, images } = o
  const outputs = outputsOf(
    evaluation.answers.map(({ scores }, at) => ({
      logits: scores.map((one) => one.logit ?? Number.NaN),
      is: scores.map((_, k) => images[at]?.classes.includes(k) === true),
    })),
    { kind: o.kind, classes: evaluation.classes },
  )
  const temperature = evaluation.calibration?.temperature ?? null
  const figures = figuresOf(evaluation, { outputs, temperature })
  const plots = [...historyPlots(o.curves), ...resultPlots(figures)]
  for (const [name, bytes] of Object.entries(await plotFiles(plots, o.about))) {
    await writeFile(join(packageDir, 'results', name), bytes)
  }
}

export interface PackageResults {
  readonly curves: TrainingCurves | null
  /** Measured again from predictions.csv, with today's intervals; null where a package has none. */
  readonly figures: ResultFigures | null
  readonly assessment: Omit<Assessment, 'answers'> | null
}

export interface PackageSubject {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly calibration: Calibration | null
  readonly operatingPoints: readonly OperatingPoint[]
  readonly defaultOperatingPoint: string | null
  readonly testSet: string
}

/** What a package says about its training and its test split; parts that it lacks are null. */
export async function readPackageResults(
  packageDir: string,
  subject: PackageSubject,
): Promise<PackageResults> {
  const text = (name: string) =>
    readFile(join(packageDir, 'results', name), 'utf8').catch(() => undefined)
  const [history, predictions, summary] = await Promise.all(
    ['training_history.json', 'predictions.csv', 'results_summary.json'].map(text),
  )
  const read = readHistory(history, summary)
  const curves = read && { history: read.epochs, bestEpoch: read.bestEpoch, seconds: read.seconds }
  const outputs = predictions && findOutputs(predictions, subject)
  if (!outputs) return { curves, figures: null, assessment: null }
  const { kind, classes, calibration, operatingPoints } = subject
  const point = chooseOperatingPoint({
    points: operatingPoints,
    inUse: subject.defaultOperatingPoint,
    kind,
    classes,
  })
  const points =
    operatingPoints.length > 0 ? operatingPoints : [defaultOperatingPoint(kind, classes)]
  const { testSet } = subject
  const groups = groupsOf(predictions)
  const input = { classes, outputs, testSet, calibration, points, point, groups }
  const { answers: _, ...assessment } = assess(input)
  const temperature = calibration?.temperature ?? null
  return { curves, assessment, figures: figuresOf(assessment, { outputs, temperature }) }
}

/** Logits and truth from predictions.csv; undefined when it is not of these classes. */
function findOutputs(table: string, { kind, classes }: PackageSubject): Outputs | undefined {
  const rows = parseCsv(table).map((row) => {
    const said = new Set((row.true_label ?? '').split('|'))
    return {
      logits: classes.map(({ label }) => Number(row[`logit_${label.toLowerCase()}`] || 'NaN')),
      is: classes.map(({ label }) => said.has(label)),
    }
  })
  const isWhole = rows.every(({ logits }) => logits.every(Number.isFinite))
  return rows.length > 0 && isWhole ? outputsOf(rows, { kind, classes }) : undefined
}

/** Of each image, where the package says it: intervals draw a patient's images together. */
function groupsOf(table: string): (string | null)[] | undefined {
  const rows = parseCsv(table)
  if (rows.every((row) => row.group === undefined)) return undefined
  return rows.map((row) => row.group || null)
}

function outputsOf(
  rows: readonly Labelled[],
  { kind, classes }: { readonly kind: ConditionKind; readonly classes: readonly ClassLabel[] },
): Outputs {
  const columns = kind === 'binary' ? [positiveIndex(classes)] : [...classes.keys()]
  return {
    kind,
    logits: rows.map(({ logits }) => columns.map((k) => logits[k] ?? Number.NaN)),
    truth: rows.map(({ is }) => columns.map((k) => Number(is[k]))),
  }
}
