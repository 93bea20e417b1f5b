// A folder of labelled images, looked at whole: every file decoded once, and a report of what is there and what is wrong.
// Runs in a process of its own (decoders see hostile files). Splitting and fixing is prepare.ts.
import type { ScanReport, Spread } from '../../registry/runs/datasets.ts'
import { type BrokenImage, inspectImage, type SeenImage } from './inspect-image.ts'
import { nearDuplicates } from './near-duplicates.ts'
import { type DatasetScan, type LabelledFile, scanDataset } from './scan.ts'

/** So many of each list are kept; the counts are whole. */
const LISTED = 200
/** Below this share of the median sharpness an image is listed as blurred. */
const BLURRED = 0.15

export interface InspectOptions {
  readonly dir: string
  /** Labels of a condition, which win over other folder names. */
  readonly classes?: readonly string[]
  readonly onProgress?: (done: number, total: number) => void
}

/** @throws AppError `invalid` when it cannot be read or holds no labelled image */
export async function inspectDataset(options: InspectOptions): Promise<ScanReport> {
  const { dir, classes, onProgress } = options
  const scan = await scanDataset(dir, {
    ...(classes && { classes }),
    // Looking for files is progress too.
    ...(onProgress && { onFound: (files: number) => files % 1000 === 0 && onProgress(0, files) }),
  })
  const seen: SeenImage[] = []
  const broken: BrokenImage[] = []
  for (const [done, file] of scan.files.entries()) {
    const image = await inspectImage(dir, file)
    if ('reason' in image) broken.push(image)
    else seen.push(image)
    onProgress?.(done + 1, scan.files.length)
  }
  return report(scan, { seen, broken })
}

function report(
  scan: DatasetScan,
  {
    seen,
    broken,
  }: { readonly seen: readonly SeenImage[]; readonly broken: readonly BrokenImage[] },
): ScanReport {
  const equal = [...Map.groupBy(seen, ({ sha256 }) => sha256).values()].filter(
    (group) => group.length > 1,
  )
  const names = (group: readonly SeenImage[]): string[] => group.map(({ file }) => file.file)
  const conflicts = equal.filter((group) => new Set(group.map(labelsOf)).size > 1)
  const near = nearDuplicates(seen).flatMap(([a, b]): [SeenImage, SeenImage][] => {
    const [one, other] = [seen[a], seen[b]]
    return one && other && one.sha256 !== other.sha256 ? [[one, other]] : []
  })
  const leaks = {
    groups: torn(
      scan.files.filter(({ group }) => group !== null),
      (file) => file.group ?? '',
    ),
    images: torn(
      seen.map((one) => ({ ...one.file, key: one.sha256 })),
      ({ key }) => key,
    ),
  }
  return {
    layout: scan.layout,
    images: scan.files.length,
    bytes: seen.reduce((sum, { bytes }) => sum + bytes, 0),
    classes: scan.classes,
    splits: counted(scan.files.map(({ split }) => split ?? 'none')),
    unlabelled: scan.unlabelled.length,
    tables: scan.tables,
    formats: tally(seen.map(({ format }) => format)),
    bitDepths: tally(seen.map(({ bits }) => String(bits))),
    channels: tally(seen.map(({ channels }) => (channels === 1 ? 'grey' : 'colour'))),
    sizes:
      seen.length === 0
        ? null
        : {
            width: spread(seen.map(({ width }) => width)),
            height: spread(seen.map(({ height }) => height)),
          },
    broken: {
      count: broken.length,
      files: broken.slice(0, LISTED).map(({ file, reason }) => ({ file: file.file, reason })),
    },
    duplicates: {
      count: equal.reduce((sum, group) => sum + group.length - 1, 0),
      groups: equal.slice(0, LISTED).map(names),
    },
    nearDuplicates: {
      count: near.length,
      pairs: near.slice(0, LISTED).map(([a, b]) => [a.file.file, b.file.file] as const),
    },
    conflicts: conflicts.slice(0, LISTED).map(names),
    groups: new Set(scan.files.flatMap(({ group }) => group ?? [])).size,
    leaks,
    sharpness: sharpnessOf(seen),
    warnings: [
      ...scan.warnings,
      ...warningsOf({ broken: broken.length, conflicts: conflicts.length, leaks }),
    ],
  }
}

function labelsOf({ file }: SeenImage): string {
  return file.labels.join('|')
}

/** Keys whose members lie in more than one of the dataset's own splits. */
function torn<T extends Pick<LabelledFile, 'split'>>(
  members: readonly T[],
  key: (member: T) => string,
): number {
  const groups = Map.groupBy(members, key)
  return [...groups.values()].filter((group) => new Set(group.map(({ split }) => split)).size > 1)
    .length
}

function counted(values: readonly string[]): { split: string; count: number }[] {
  return Object.entries(tally(values)).map(([split, count]) => ({ split, count }))
}

function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = Object.create(null)
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0
  return { min: at(0), median: at(0.5), max: at(1) }
}

function sharpnessOf(seen: readonly SeenImage[]): ScanReport['sharpness'] {
  if (seen.length === 0) return null
  const { median } = spread(seen.map(({ sharpness }) => sharpness))
  const blurred = seen
    .filter(({ sharpness }) => sharpness < BLURRED * median)
    .sort((a, b) => a.sharpness - b.sharpness)
    .slice(0, LISTED)
    .map(({ file, sharpness }) => ({ file: file.file, score: rounded(sharpness) }))
  return { median: rounded(median), blurred }
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function warningsOf(o: {
  readonly broken: number
  readonly conflicts: number
  readonly leaks: ScanReport['leaks']
}): string[] {
  const { broken, conflicts, leaks } = o
  const s = (n: number): string => (n === 1 ? '' : 's')
  return [
    broken > 0 && `${broken} file${s(broken)} cannot be decoded and will be excluded.`,
    conflicts > 0 &&
      `${conflicts} image${conflicts === 1 ? ' is' : 's are'} there with different labels; none of the copies will be used.`,
    leaks.groups > 0 &&
      `${leaks.groups} patient${leaks.groups === 1 ? ' lies' : 's lie'} in more than one of the dataset’s own splits: results may be optimistic.`,
    leaks.images > 0 &&
      `${leaks.images} image${leaks.images === 1 ? ' lies' : 's lie'} in more than one of the dataset’s own splits: results may be optimistic.`,
  ].filter((warning) => warning !== false)
}
