// Labels of files -> the ordered classes of a condition: matching whatever the spelling, and guessing what is healthy.
import { AppError } from '../../errors.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'

/** Words for the healthy class, in the languages that datasets are labelled in. */
const HEALTHY =
  /^(normal|normale?s?|healthy|negative|benign|control|no|none|not|non|without|unaffected|uninfected|unremarkable|gesund|unauff[aä]llig|sain|sano|sana)\b|^(0|nv|no[ _-]?findings?|intact)$/i

export function isHealthyLabel(label: string): boolean {
  return HEALTHY.test(label.replaceAll('_', ' '))
}

/** "No_Findings" and "no findings" are the same label. */
export function sameLabel(a: string, b: string): boolean {
  return fold(a) === fold(b)
}

function fold(label: string): string {
  return label
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim()
}

/** The commonest spelling of each label; others that differ in case, spaces or Unicode form are the same label. */
export function commonSpellings(labels: readonly string[]): ReadonlyMap<string, string> {
  const spellings = new Map<string, Map<string, number>>()
  for (const label of labels) {
    const counts = spellings.get(fold(label)) ?? new Map<string, number>()
    spellings.set(fold(label), counts.set(label, (counts.get(label) ?? 0) + 1))
  }
  const chosen = new Map<string, string>()
  for (const counts of spellings.values()) {
    const [[common = ''] = []] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    for (const label of counts.keys()) chosen.set(label, common)
  }
  return chosen
}

export interface ConditionClasses {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
}

/**
 * Kind and classes for a condition that does not exist yet, from the labels of its dataset.
 * @throws AppError `invalid` with the choices where nothing tells which of two classes is the finding
 */
export function guessClasses(
  labels: readonly string[],
  { severalPerImage, positive }: { readonly severalPerImage: boolean; readonly positive?: string },
): ConditionClasses {
  const classes = labels.map((label) => ({ label, positive: !isHealthyLabel(label) }))
  if (severalPerImage) return { kind: 'multi-label', classes }
  if (classes.length !== 2) return { kind: 'single-label', classes }
  const named = positive === undefined ? undefined : labels.find((one) => sameLabel(one, positive))
  if (positive !== undefined && named === undefined) throw whichIsPositive(labels)
  if (named !== undefined) {
    const chosen = labels.map((label) => ({ label, positive: label === named }))
    return { kind: 'binary', classes: byPositiveLast(chosen) }
  }
  if (classes.filter((one) => one.positive).length !== 1) throw whichIsPositive(labels)
  return { kind: 'binary', classes: byPositiveLast(classes) }
}

function whichIsPositive(labels: readonly string[]): AppError {
  return new AppError(
    'invalid',
    `Which class is the finding, ${labels.map((label) => `"${label}"`).join(' or ')}? The names do not tell: choose it.`,
    { extra: { field: 'positive', choices: labels } },
  )
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
