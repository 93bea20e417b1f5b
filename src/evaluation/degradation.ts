// Does a version do elsewhere what it did on its own test images? Told by intervals, in sentences for a reader.

import type { Interval } from '../statistics/bootstrap.ts'
import type { Assessment } from './assess.ts'

type Assessed = Omit<Assessment, 'answers'>

interface Figure {
  readonly name: string
  readonly value: number | null
  readonly interval: Interval | null
  readonly asPercent: boolean
}

/** With fewer images an interval is so wide that it tells little. */
const FEW_IMAGES = 100

export interface Elsewhere {
  readonly here: Assessed
  /** On its own test split, measured in the same way; null when the package does not say. */
  readonly own: Assessed | null
  /** The images are others of a dataset that it was trained on. */
  readonly isFamiliar: boolean
  /** So many of them it has learnt from, or was stopped or calibrated by. */
  readonly learntFrom?: number
}

/**
 * Warnings first of all about what is worse beyond chance: the whole interval here lies below the whole interval there.
 * That asks for more than a test at 5% (Schenker and Gentleman 2001), so what it says is plain.
 */
export function evaluationWarnings(o: Elsewhere): string[] {
  const { here, own, isFamiliar, learntFrom = 0 } = o
  const worse = own ? worseFigures(here, own) : []
  const ece = { name: 'calibration error', asPercent: false }
  const eceHere = {
    ...ece,
    value: here.quality.calibrated.ece,
    interval: here.quality.calibrated.eceInterval,
  }
  const eceOwn = own && {
    ...ece,
    value: own.quality.calibrated.ece,
    interval: own.quality.calibrated.eceInterval,
  }
  return [
    ...(learntFrom > 0
      ? [
          `It was trained on ${learntFrom} of these ${here.metrics.n} images, so the results are optimistic. Exclude them.`,
        ]
      : []),
    ...(worse.length > 0
      ? [
          `Performance on these images is much worse than on the internal test images: ${worse.join('; ')}. Do not use this version on images like these.`,
        ]
      : []),
    ...(isNoBetterThanChance(here)
      ? ['AUC is no better than chance: its confidence interval includes 0.5.']
      : []),
    ...(eceOwn && isBelow(eceOwn, eceHere)
      ? [
          `Poorly calibrated on these images: ${words(eceHere)} vs ${estimate(eceOwn)} on the internal test images.`,
        ]
      : []),
    ...missingKinds(here),
    ...(here.metrics.n < FEW_IMAGES
      ? [`Only ${here.metrics.n} images: the intervals are wide, and a drop may go undetected.`]
      : []),
    ...(own === null ? ['The package has no internal test results to compare with.'] : []),
    ...(here.metrics.testSet === own?.metrics.testSet
      ? ['These are the internal test images: results may not transfer to other sites.']
      : isFamiliar
        ? ['Trained on other images of this dataset: results may not transfer to other sites.']
        : []),
  ]
}

function worseFigures(here: Assessed, own: Assessed): string[] {
  const there = figuresOf(own)
  return figuresOf(here).flatMap((mine, at) => {
    const theirs = there[at]
    return theirs && isBelow(mine, theirs) ? [`${words(mine)} vs ${estimate(theirs)}`] : []
  })
}

function figuresOf({ finding, balancedAccuracy, classes, macro }: Assessed): Figure[] {
  const positive = classes.filter((one) => one.positive)
  const area = classes.length === 2 && positive.length === 1 ? positive[0]?.area : undefined
  const auc = area ? { value: area.auc, interval: area.interval } : macro.auc
  return [
    { name: 'AUC', ...auc, asPercent: false },
    { name: 'balanced accuracy', ...balancedAccuracy, asPercent: true },
    { name: 'sensitivity', ...finding.sensitivity, asPercent: true },
    { name: 'specificity', ...finding.specificity, asPercent: true },
  ]
}

function isBelow(lower: Figure, upper: Figure): boolean {
  return lower.interval !== null && upper.interval !== null && lower.interval[1] < upper.interval[0]
}

function isNoBetterThanChance(here: Assessed): boolean {
  const [auc] = figuresOf(here)
  return auc?.interval !== null && auc !== undefined && auc.interval[0] <= 0.5
}

function missingKinds({ classes }: Assessed): string[] {
  const missing = classes.filter(({ support }) => support === 0).map(({ label }) => label)
  return missing.length === 0
    ? []
    : [`No image shows ${missing.join(' or ')}: metrics that depend on it are undefined.`]
}

function words(figure: Figure): string {
  return `${figure.name} ${estimate(figure)}`
}

function estimate({ value, interval, asPercent }: Figure): string {
  const figure = (one: number) => (asPercent ? `${(100 * one).toFixed(1)}%` : one.toFixed(3))
  if (value === null || !interval) return 'unknown'
  return `${figure(value)} (${figure(interval[0])} to ${figure(interval[1])})`
}
