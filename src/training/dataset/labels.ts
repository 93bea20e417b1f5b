// Labels of files -> the ordered classes of a condition: matching whatever the spelling, and guessing what is healthy.
import { AppError } from '../../errors.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'

const HEALTHY =
  /^(normal|healthy|negative|benign|control|no|none|not|non)\b|^(0|nv|no[ _-]?findings?|intact)$/i

/** "No_Findings" and "no findings" are the same label. */
export function sameLabel(a: string, b: string): boolean {
  return fold(a) === fold(b)
}

function fold(label: string): string {
  return label
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim()
}

export interface ConditionClasses {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
}

/** Kind and classes for a condition that does not exist yet, from the labels of its dataset. */
export function guessClasses(
  labels: readonly string[],
  severalPerImage: boolean,
): ConditionClasses {
  const classes = labels.map((label) => ({
    label,
    positive: !HEALTHY.test(label.replaceAll('_', ' ')),
  }))
  if (severalPerImage) return { kind: 'multi-label', classes }
  if (classes.length !== 2) return { kind: 'single-label', classes }
  const positives = classes.filter(({ positive }) => positive).length
  if (positives === 1) return { kind: 'binary', classes: byPositiveLast(classes) }
  const [first, second] = labels as [string, string]
  return {
    kind: 'binary',
    classes: [
      { label: first, positive: false },
      { label: second, positive: true },
    ],
  }
}

function byPositiveLast(classes: readonly ClassLabel[]): ClassLabel[] {
  return classes.toSorted((a, b) => Number(a.positive) - Number(b.positive))
}

/**
 * Indices into the classes; for binary and single-label exactly one.
 * A binary image without any label (a table's "none") is of the negative class.
 * @returns undefined when a label is none of the classes
 */
export function findClassIndices(
  labels: readonly string[],
  { kind, classes }: ConditionClasses,
): number[] | undefined {
  const indices = labels.map((label) => classes.findIndex((one) => sameLabel(one.label, label)))
  if (indices.includes(-1)) return undefined
  if (kind === 'multi-label') return [...new Set(indices)].sort((a, b) => a - b)
  if (indices.length === 1) return indices
  const healthy = classes.findIndex(({ positive }) => !positive)
  return indices.length === 0 && kind === 'binary' && healthy >= 0 ? [healthy] : undefined
}

/** @throws AppError `invalid` when one class only, or classes that make no such kind */
export function checkClasses({ kind, classes }: ConditionClasses): void {
  if (classes.length < 2 && kind !== 'multi-label') {
    throw new AppError(
      'invalid',
      `All images are labelled "${classes[0]?.label ?? '?'}": a model needs at least two classes to tell apart.`,
    )
  }
  const positives = classes.filter(({ positive }) => positive).length
  if (kind === 'binary' && (classes.length !== 2 || positives !== 1)) {
    throw new AppError(
      'invalid',
      'A binary condition has exactly two classes, one of which is the positive finding.',
    )
  }
}
