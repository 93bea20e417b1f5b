// Calibrated probabilities to a decision at a named operating point. Pure; which point is in use is the registry's.
import { AppError } from '../errors.ts'
import type { ClassLabel, ConditionKind, OperatingPoint } from '../package/schema.ts'
import { positiveIndex } from './scores.ts'

/** One positive class and whether it was found. `threshold` is null where the largest probability decides. */
export interface Finding {
  readonly label: string
  readonly positive: boolean
  readonly threshold: number | null
}

export interface Decision {
  readonly label: string
  readonly positive: boolean
  readonly threshold: number | null
  readonly operatingPoint: string
  readonly findings: readonly Finding[]
}

export interface DecideInput {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly scores: readonly { readonly label: string; readonly probability: number }[]
  readonly operatingPoint: OperatingPoint
}

const HALF = 0.5

/** The rule for a version that brings none: one half for sigmoids, the largest probability for single-label. */
export function defaultOperatingPoint(
  kind: ConditionKind,
  classes: readonly ClassLabel[],
): OperatingPoint {
  const unknown = { sensitivity: null, specificity: null }
  if (kind === 'single-label') return { name: 'argmax', thresholds: {}, ...unknown }
  const labels =
    kind === 'binary' ? classes.slice(positiveIndex(classes)).slice(0, 1) : [...classes]
  const thresholds = Object.fromEntries(labels.map((one) => [one.label, HALF]))
  return { name: 'threshold=0.5', thresholds, ...unknown }
}

export interface ChooseOperatingPoint {
  readonly points: readonly OperatingPoint[]
  /** Asked for by name; undefined takes `inUse`. */
  readonly wanted?: string | undefined
  /** The version's or the registry's choice; null takes the first, or the default rule when there is none. */
  readonly inUse: string | null
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
}

/** @throws AppError `unknown-operating-point` when the one asked for is not there */
export function chooseOperatingPoint(o: ChooseOperatingPoint): OperatingPoint {
  const standard = defaultOperatingPoint(o.kind, o.classes)
  const points = o.points.length > 0 ? o.points : [standard]
  if (o.wanted !== undefined) {
    const found = [...points, standard].find((point) => point.name === o.wanted)
    if (found) return found
    const names = points.map((point) => point.name).join(', ')
    throw new AppError(
      'unknown-operating-point',
      `"${o.wanted.slice(0, 80)}" is not an operating point of this version; it has: ${names}.`,
    )
  }
  return points.find((point) => point.name === o.inUse) ?? points[0] ?? standard
}

/**
 * The decision and a finding for each positive class (all classes when none is marked positive). A probability equal
 * to its threshold is positive.
 * Binary: the positive class's threshold decides. Single-label: a positive class with a threshold counts only from
 * it on; otherwise the largest probability decides. Multi-label: each label by its own threshold.
 */
export function decide(o: DecideInput): Decision {
  const candidates = o.classes.map((one) => {
    const probability = o.scores.find((score) => score.label === one.label)?.probability ?? 0
    const threshold = thresholdOf(o.operatingPoint, one.label)
    return { ...one, probability, threshold }
  })
  switch (o.kind) {
    case 'binary':
      return decideBinary(candidates, o)
    case 'single-label':
      return decideSingle(candidates, o)
    case 'multi-label':
      return decideMulti(candidates, o)
  }
}

interface Candidate extends ClassLabel {
  readonly probability: number
  readonly threshold: number | null
}

function decideBinary(candidates: readonly Candidate[], o: DecideInput): Decision {
  const index = positiveIndex(o.classes)
  const [hit, other] = [at(candidates, index), at(candidates, 1 - index)]
  const threshold = hit.threshold ?? HALF
  const positive = hit.probability >= threshold
  const label = positive ? hit.label : other.label
  return {
    label,
    positive,
    threshold,
    operatingPoint: o.operatingPoint.name,
    findings: [{ label: hit.label, positive, threshold }],
  }
}

function decideSingle(candidates: readonly Candidate[], o: DecideInput): Decision {
  const passed = candidates.filter(
    (one) => one.positive && one.threshold !== null && one.probability >= one.threshold,
  )
  const open = candidates.filter((one) => one.threshold === null)
  const chosen = mostProbable(passed) ?? mostProbable(open) ?? at(rank(candidates), 0)
  // When every class has a threshold and none is reached, the most probable is named but is no finding.
  const reached = chosen.threshold === null || chosen.probability >= chosen.threshold
  const findings = positives(candidates).map((one) => ({
    label: one.label,
    positive: one.threshold === null ? one === chosen : one.probability >= one.threshold,
    threshold: one.threshold,
  }))
  return {
    label: chosen.label,
    positive: chosen.positive && reached,
    threshold: chosen.threshold,
    operatingPoint: o.operatingPoint.name,
    findings,
  }
}

function decideMulti(candidates: readonly Candidate[], o: DecideInput): Decision {
  const passes = (one: Candidate) => one.probability >= (one.threshold ?? HALF)
  const findings = positives(candidates)
  const chosen =
    mostProbable(findings.filter(passes)) ??
    mostProbable(candidates.filter((one) => !one.positive && !findings.includes(one))) ??
    at(rank(candidates), 0)
  return {
    label: chosen.label,
    positive: findings.includes(chosen) && passes(chosen),
    threshold: chosen.threshold ?? HALF,
    operatingPoint: o.operatingPoint.name,
    findings: findings.map((one) => ({
      label: one.label,
      positive: passes(one),
      threshold: one.threshold ?? HALF,
    })),
  }
}

function positives(candidates: readonly Candidate[]): readonly Candidate[] {
  const marked = candidates.filter((one) => one.positive)
  return marked.length > 0 ? marked : candidates
}

/** Most probable first; equal ones keep the condition's order. */
function rank(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.toSorted((a, b) => b.probability - a.probability)
}

function mostProbable(candidates: readonly Candidate[]): Candidate | undefined {
  return rank(candidates)[0]
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new AppError('internal', 'The condition has too few classes.')
  return item
}

/** A label may be called "constructor". */
function thresholdOf({ thresholds }: OperatingPoint, label: string): number | null {
  return Object.hasOwn(thresholds, label) ? (thresholds[label] ?? null) : null
}
