// Named decision rules: where the threshold lies on the calibrated probability, and what it costs. Chosen on the calibration
// split, never on the test split that reports them.

import { positiveIndex } from '../inference/scores.ts'
import type { ClassLabel, ConditionKind, OperatingPoint } from '../package/schema.ts'
import type { Ranked } from '../statistics/placements.ts'
import { type RocPoint, rocCurve } from '../statistics/roc.ts'
import { type Outputs, probabilitiesOf } from './probabilities.ts'

/** What a model answers with until somebody chooses otherwise: see docs/decisions on the default operating point. */
export const DEFAULT_POINT: Readonly<Record<ConditionKind, string>> = {
  binary: 'youden',
  'single-label': 'argmax',
  'multi-label': 'youden',
}

const NOTHING_TO_CHOOSE = 0.5

const RULES: readonly (readonly [string, (curve: readonly RocPoint[]) => RocPoint])[] = [
  ['sensitivity>=0.95', (curve) => findAt(curve, ({ truePositiveRate: t }) => t >= 0.95)],
  ['specificity>=0.95', (curve) => findLastAt(curve, ({ falsePositiveRate: f }) => f <= 0.05)],
  ['youden', youden],
]

/** Highest threshold that fulfils it; points come with falling thresholds. */
function findAt(curve: readonly RocPoint[], fulfils: (point: RocPoint) => boolean): RocPoint {
  return curve.find(fulfils) ?? (curve.at(-1) as RocPoint)
}

/** Lowest threshold that fulfils it. */
function findLastAt(curve: readonly RocPoint[], fulfils: (point: RocPoint) => boolean): RocPoint {
  return curve.findLast(fulfils) ?? (curve[0] as RocPoint)
}

/** Largest sensitivity + specificity - 1; of equals the higher threshold. */
function youden(curve: readonly RocPoint[]): RocPoint {
  const gain = (point: RocPoint): number => point.truePositiveRate - point.falsePositiveRate
  return curve.reduce((best, point) => (gain(point) > gain(best) ? point : best))
}

/**
 * The thresholds of a rule for a ranking, half way to the next lower score, so that neither a rounding error nor the
 * next machine moves an image across. One half when the calibration images are all of one kind.
 */
export function thresholdOf(rule: string, ranked: Ranked): number {
  const found = RULES.find(([name]) => name === rule)
  if (!found) throw new RangeError(`no rule ${rule}`)
  if (new Set(ranked.positives).size < 2) return NOTHING_TO_CHOOSE
  const curve = rocCurve(ranked)
  const at = curve.indexOf(found[1](curve))
  const upper = curve[at]?.threshold ?? 1
  const lower = curve[at + 1]?.threshold ?? 0
  return Math.min(1, Math.max(0, upper === Number.POSITIVE_INFINITY ? 1 : (upper + lower) / 2))
}

export interface PointContext {
  readonly classes: readonly ClassLabel[]
  readonly temperature: number
}

/** All rules for a kind, with thresholds; sensitivity and specificity are filled in on the test split by evaluate.ts. */
export function chooseOperatingPoints(
  outputs: Outputs,
  { classes, temperature }: PointContext,
): OperatingPoint[] {
  const unmeasured = { sensitivity: null, specificity: null }
  const chooseAll = (name: string, columns: readonly Column[]): OperatingPoint => {
    const thresholds = columns.map(({ label, column }) => {
      return [label, thresholdOf(name, rankedColumn(outputs, { column, temperature }))] as const
    })
    return { name, thresholds: Object.fromEntries(thresholds), ...unmeasured }
  }
  const columns = columnsOf(outputs.kind, classes)
  if (outputs.kind !== 'single-label') return RULES.map(([name]) => chooseAll(name, columns))
  // Beside the most probable class: findings such as a melanoma named as soon as they are possible.
  const findings = columns.filter(({ column }) => classes[column]?.positive)
  const argmax = { name: 'argmax', thresholds: {}, ...unmeasured }
  return [argmax, ...(findings.length > 0 ? RULES.map(([name]) => chooseAll(name, findings)) : [])]
}

interface Column {
  readonly label: string
  readonly column: number
}

/** Which logit column stands for which label. */
export function columnsOf(kind: ConditionKind, classes: readonly ClassLabel[]): Column[] {
  if (kind === 'binary') {
    return [{ label: classes[positiveIndex(classes)]?.label ?? '', column: 0 }]
  }
  return classes.map(({ label }, column) => ({ label, column }))
}

/** Calibrated probabilities of one column against its truth. */
export function rankedColumn(
  { kind, logits, truth }: Outputs,
  { column, temperature }: { readonly column: number; readonly temperature: number },
): Ranked {
  return {
    scores: logits.map((row) => probabilitiesOf(kind, row, temperature)[column] ?? 0),
    positives: truth.map((row) => row[column] === 1),
  }
}
