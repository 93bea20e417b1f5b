// All figures of a report that have no interval by formula, drawn together so that one pass over the images serves them all.
import type { ConditionKind } from '../package/schema.ts'
import { bootstrap, type Estimate } from '../statistics/bootstrap.ts'
import { mean } from '../statistics/placements.ts'
import type { ClassView } from './class-reports.ts'
import { binCount, binOf, forecastsOf, type Outputs, squaredDistances } from './probabilities.ts'
import {
  weightedCalibrationError,
  weightedMean,
  weightedRanking,
  weightedRates,
} from './weighted-figures.ts'

/** Means over the classes, each counted alike, whatever its number of images; classes without a value are left out. */
export interface MacroEstimates {
  readonly precision: Estimate
  readonly recall: Estimate
  readonly specificity: Estimate
  readonly f1: Estimate
  readonly auc: Estimate
  readonly averagePrecision: Estimate
}

export interface DrawnIntervals {
  /** Binary and multi-label: of "any finding"; single-label: mean recall. */
  readonly balancedAccuracy: Estimate
  readonly macro: MacroEstimates
  readonly classes: readonly { readonly f1: Estimate; readonly averagePrecision: Estimate }[]
  readonly ece: Readonly<Record<'raw' | 'calibrated', Estimate>>
  readonly brier: Readonly<Record<'raw' | 'calibrated', Estimate>>
}

export interface DrawInput {
  readonly test: Outputs
  readonly views: readonly ClassView[]
  /** "Any finding", said against is. */
  readonly finding: { readonly said: readonly boolean[]; readonly is: readonly boolean[] }
  readonly temperature: number
  readonly groups?: readonly (string | null)[] | undefined
}

const MACRO = ['precision', 'recall', 'specificity', 'f1', 'auc', 'averagePrecision'] as const
const STATES = ['raw', 'calibrated'] as const

export function drawIntervals(o: DrawInput): DrawnIntervals {
  const n = o.test.logits.length
  const drawn = bootstrap(figuresOf(o), { n, groups: o.groups })
  const at = (name: string): Estimate => drawn[name] ?? { value: null, interval: null }
  const each = <K extends string>(names: readonly K[], prefix: string) =>
    Object.fromEntries(names.map((name) => [name, at(`${prefix} ${name}`)])) as Record<K, Estimate>
  return {
    balancedAccuracy: at('balancedAccuracy'),
    macro: each(MACRO, 'macro'),
    classes: o.views.map((_, k) => ({ f1: at(`f1 ${k}`), averagePrecision: at(`ap ${k}`) })),
    ece: each(STATES, 'ece'),
    brier: each(STATES, 'brier'),
  }
}

function figuresOf({ test, views, finding, temperature }: DrawInput) {
  const rankings = views.map(({ ranked }) => weightedRanking(ranked))
  const qualities = STATES.map((state) => {
    const at = state === 'raw' ? 1 : temperature
    const bins = binCount(test.logits.length)
    const forecasts = forecastsOf(test, at).map((one) => {
      return { ...one, bin: binOf(one.predicted, bins) }
    })
    return { state, bins, forecasts, squares: squaredDistances(test, at) }
  })
  return (weights: Uint16Array): Record<string, number | null> => {
    const figures: Record<string, number | null> = {}
    const rows = views.map((view, k) => {
      const row = {
        ...weightedRates(weights, view),
        ...(rankings[k]?.(weights) ?? { auc: null, averagePrecision: null }),
      }
      figures[`f1 ${k}`] = row.f1
      figures[`ap ${k}`] = row.averagePrecision
      return row
    })
    for (const name of MACRO) figures[`macro ${name}`] = meanOfKnown(rows.map((row) => row[name]))
    figures.balancedAccuracy = balanced(test.kind, {
      any: weightedRates(weights, finding),
      recalls: rows.map((row) => row.recall),
    })
    for (const { state, bins, forecasts, squares } of qualities) {
      figures[`ece ${state}`] = weightedCalibrationError(weights, { forecasts, bins })
      figures[`brier ${state}`] = weightedMean(weights, squares)
    }
    return figures
  }
}

function balanced(
  kind: ConditionKind,
  o: {
    readonly any: { readonly recall: number | null; readonly specificity: number | null }
    readonly recalls: readonly (number | null)[]
  },
): number | null {
  if (kind === 'single-label') return meanOfKnown(o.recalls)
  const { recall, specificity } = o.any
  return recall === null || specificity === null ? null : (recall + specificity) / 2
}

/** Null when none is known. */
export function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : mean(known)
}
