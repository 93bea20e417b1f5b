// roentgen dataset scan | prepare: what a folder of labelled images holds, and fixing it for training. dataset synth:
// synthetic images with masks, to try and to demonstrate; that needs no home.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { Dataset } from '../../registry/runs/datasets.ts'
import { withApi } from '../api.ts'
import { command, fraction, wholeNumber } from '../command.ts'
import { bytesText, printFields, printJson, printLine, printTable } from '../output.ts'
import { startProgress } from '../progress.ts'
import {
  belowDataRoot,
  checkLabels,
  exclude,
  type PrepareBody,
  prepare,
  scan,
} from '../training/dataset-jobs.ts'

interface SynthOptions {
  readonly json?: true
  readonly condition: string
  readonly perClass?: number
  readonly count?: number
  readonly seed: number
  readonly size: number
  readonly sixteenBit?: number
  readonly out: string
}

export function addDatasetCommands(program: Command): void {
  const group = program
    .command('dataset')
    .description('Labelled images: scan, prepare, check labels, synthesise')
    .helpCommand(false)

  command(group, 'scan <folder>', {
    does: 'Scan a folder inside the dataset folder: classes, sizes, broken files, duplicates, leakage',
    example: 'roentgen dataset scan chest-xray',
  }).action(scanFolder)

  command(group, 'prepare <dataset>', {
    does: 'Check, de-duplicate, split and cache a dataset; scans it first if needed',
    example: 'roentgen dataset prepare chest-xray --condition pneumonia --max-per-class 500',
  })
    .option('--condition <id>', 'condition it is for; default: original labels')
    .option('--max-per-class <number>', 'maximum images per class', wholeNumber(2, 10_000_000))
    .option('--image-size <pixels>', 'cache images at this size', wholeNumber(16, 1024))
    .option('--seed <number>', 'seed of the split', wholeNumber(0, 2 ** 31 - 1))
    .option('--exclude <file...>', 'files to exclude, or patterns such as "*/copy-*"')
    .option(
      '--positive <class>',
      'which of two classes is the positive finding, if the names do not tell',
    )
    .option('--uncertain <choice>', 'labels of -1: leave-out (default), positive or negative')
    .action(prepareDataset)

  command(group, 'labels <dataset>', {
    does: 'List suspicious labels after a first training; with --exclude, exclude files and re-prepare',
    example: 'roentgen dataset labels chest-xray --exclude NORMAL/0007.png',
  })
    .option(
      '--version <version>',
      'version whose features are used; default: newest trained on the dataset',
    )
    .option('--exclude <file...>', 'files of the list to exclude')
    .action(checkDatasetLabels)

  command(group, 'synth', {
    does: 'Create a folder of synthetic images with lesion masks; not for clinical use',
    example:
      'roentgen dataset synth --condition pneumonia --per-class 400 --seed 7 --out Dataset/pneumonia',
  })
    .requiredOption('--condition <id>', 'what to draw, e.g. pneumonia or skin-lesion')
    .option('--per-class <number>', 'images of each class', wholeNumber(1, 1_000_000))
    .option('--count <number>', 'total images, instead of --per-class', wholeNumber(1, 1_000_000))
    .option(
      '--seed <number>',
      'the same seed draws the same images',
      wholeNumber(0, 2 ** 31 - 1),
      7,
    )
    .option('--size <pixels>', 'image size (px)', wholeNumber(32, 2048), 256)
    .option('--sixteen-bit <share>', 'fraction of 16-bit images, 0 to 1', fraction)
    .requiredOption('-o, --out <folder>', 'output folder, new or empty')
    .action(synth)
}

async function scanFolder(folder: string, { json }: { json?: true }): Promise<void> {
  const dataset = await withApi(readConfig(), (api) =>
    scan(api, pathOf(folder), { quiet: json === true }),
  )
  if (json) return printJson(dataset)
  showScan(dataset)
  printLine(`To train on it: roentgen dataset prepare ${dataset.path}`)
}

async function prepareDataset(
  given: string,
  { json, ...wishes }: PrepareBody & { json?: true },
): Promise<void> {
  const quiet = json === true
  const dataset = await withApi(readConfig(), async (api) => {
    const { items } = await api.json<{ items: Dataset[] }>('/api/v1/datasets')
    const path = items.some(({ id }) => id === given) ? given : pathOf(given)
    const known = items.find((one) => one.id === given || one.path === path)
    const { id } = known?.scan ? known : await scan(api, path, { quiet })
    return prepare(api, { id, ...wishes }, { quiet })
  })
  if (json) return printJson(dataset)
  const { prepared } = dataset
  if (!prepared) return
  printTable(
    prepared.classes.map(({ label }) => [
      label,
      ...SPLITS.map((split) => prepared.splits[split]?.[label] ?? 0),
    ]),
    { columns: ['class', ...SPLITS], none: 'No image is left.' },
  )
  printFields({
    dataset: dataset.id,
    excluded: prepared.setAside.count,
    repeated: prepared.duplicates,
    fingerprint: prepared.fingerprint,
  })
  for (const { file, reason } of prepared.setAside.files) printLine(`  ${file}: ${reason}`)
}

async function checkDatasetLabels(
  given: string,
  o: { readonly json?: true; readonly version?: string; readonly exclude?: readonly string[] },
): Promise<void> {
  const quiet = o.json === true
  const dataset = await withApi(readConfig(), async (api) => {
    const { items } = await api.json<{ items: Dataset[] }>('/api/v1/datasets')
    const path = items.some(({ id }) => id === given) ? given : pathOf(given)
    const known = items.find((one) => one.id === given || one.path === path)
    if (!known)
      throw new AppError('unknown-dataset', `"${given.slice(0, 120)}" has not been scanned.`)
    if (o.exclude) return exclude(api, { id: known.id, files: o.exclude }, { quiet })
    return checkLabels(api, { id: known.id, version: o.version }, { quiet })
  })
  if (o.json) return printJson(dataset)
  const { labelCheck, prepared } = dataset
  if (o.exclude) {
    return printFields({ images: prepared?.images, fingerprint: prepared?.fingerprint })
  }
  const percent = (p: number): string => `${Math.round(100 * p)}%`
  printTable(
    (labelCheck?.labels ?? []).map((one) => [
      ...[one.file, one.given, percent(one.givenProbability)],
      ...[one.suggested, percent(one.suggestedProbability)],
    ]),
    {
      columns: ['file', 'label', 'probability', 'predicted', 'probability'],
      none: 'No suspicious labels.',
    },
  )
  const rest = (labelCheck?.count ?? 0) - (labelCheck?.labels.length ?? 0)
  if (rest > 0) printLine(`and ${rest} more`)
}

const SPLITS = ['train', 'validation', 'calibration', 'test'] as const

/** As it is typed from here, or else as it is called below the data root. */
function pathOf(given: string): string {
  const config = readConfig()
  const fromHere = belowDataRoot(config, given)
  const path = fromHere ?? belowDataRoot(config, resolve(config.datasetsDir, given))
  if (path !== undefined) return path
  throw new AppError(
    'invalid',
    `"${given.slice(0, 200)}" is outside the dataset folder; move it there, or set ROENTGEN_DATASETS.`,
  )
}

function showScan({ id, path, scan: report }: Dataset): void {
  if (!report) return
  printTable(
    report.classes.map(({ label, count }) => [label, count]),
    { columns: ['class', 'images'], none: 'No class was found.' },
  )
  printFields({
    dataset: id,
    path,
    layout: report.layout,
    images: `${report.images}, ${bytesText(report.bytes)}`,
    width: report.sizes ? `${report.sizes.width.min} to ${report.sizes.width.max} px` : undefined,
    height: report.sizes
      ? `${report.sizes.height.min} to ${report.sizes.height.max} px`
      : undefined,
    broken: report.broken.count,
    repeated: report.duplicates.count,
    'near duplicates': report.nearDuplicates.count,
    blurred: report.sharpness?.blurred.length,
  })
  for (const { file, reason } of report.broken.files) printLine(`  ${file}: ${reason}`)
  for (const warning of report.warnings) printLine(`Warning: ${warning}`)
}

async function synth(options: SynthOptions): Promise<void> {
  const { SYNTHETIC_NOTICE, synthesise } = await import('../../synthetic/dataset.ts')
  const { json, condition, perClass, count, seed, size, sixteenBit } = options
  const progress = startProgress('drawn', { quiet: json === true })
  try {
    const made = await synthesise({
      condition,
      seed,
      size,
      outDir: resolve(options.out),
      ...(perClass !== undefined && { perClass }),
      ...(count !== undefined && { count }),
      ...(sixteenBit !== undefined && { sixteenBitShare: sixteenBit }),
      onProgress: (done, total) => progress.update(done, total),
    })
    progress.end()
    const { counts, patients } = made
    if (json)
      return printJson({ condition, seed, size, counts, patients, notice: SYNTHETIC_NOTICE })
    const each = Object.entries(counts).map(([label, n]) => `${n} ${label}`)
    printLine(`Made ${each.join(', ')} of ${patients} synthetic patients in ${options.out}.`)
    printLine(`${SYNTHETIC_NOTICE[0]?.toUpperCase()}${SYNTHETIC_NOTICE.slice(1)}.`)
  } finally {
    progress.end()
  }
}
