// roentgen ab | reread: two versions on many images, with the table of where they differ.
import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { conditionNamed, parseVersion, versionPath } from '../../package/ids.ts'
import { pairedCsv } from '../../registry/paired/paired-csv.ts'
import type { PairedPrediction, PairedSummary } from '../../statistics/paired-summary.ts'
import { withApi } from '../api.ts'
import { command, wholeNumber } from '../command.ts'
import { printFields, printJson, printLine, printTable, share } from '../output.ts'
import { startProgress } from '../progress.ts'
import { refuseExisting } from '../save-response.ts'

type Line =
  | (PairedPrediction & { readonly agree: boolean })
  | { readonly image: string; readonly problem: { readonly detail: string } }
  | { readonly summary: PairedSummary & { readonly failed: number } }

interface Options {
  readonly json?: true
  readonly csv?: string
  readonly force?: true
}

/** Differences that are listed; a CSV holds them all. */
const SHOWN = 20

export function addPairedCommands(program: Command): void {
  command(program, 'ab <a> <b>', {
    does: 'Compare two versions on a folder of images: agreement, McNemar, DeLong, differing images',
    example:
      'roentgen ab pneumonia/tiny-cnn-quick@1 pneumonia/tiny-cnn-quick@2 --folder chest/test --csv differences.csv',
  })
    .requiredOption(
      '--folder <path>',
      'folder inside the dataset folder; class folders are the labels',
    )
    .option(
      '--split <name>',
      'train, validation, calibration, test or all; default: test of a prepared dataset, otherwise all',
    )
    .option('--csv <file>', 'write one line per image')
    .option('--force', 'overwrite an existing file')
    .action((a: string, b: string, options: Options & { folder: string; split?: string }) => {
      const { folder, split } = options
      const path = `/api/v1/conditions/${conditionNamed(a)}/ab`
      return run(path, { a, b, folder, split }, { ...options, names: [a, b] })
    })

  command(program, 'reread <version>', {
    does: 'Re-run earlier predictions of a version with another version and show what would change',
    example: 'roentgen reread pneumonia/tiny-cnn-quick@1 --with pneumonia/tiny-cnn-quick@2',
  })
    .requiredOption('--with <version>', 'the version to re-run with')
    .option('--limit <number>', 'only the last N', wholeNumber(1, 100_000), 1000)
    .option('--csv <file>', 'write one line per image')
    .option('--force', 'overwrite an existing file')
    .action((version: string, options: Options & { with: string; limit: number }) => {
      const path = `/api/v1/versions/${versionPath(parseVersion(version))}/reread`
      const body = { with: options.with, limit: options.limit }
      return run(path, body, { ...options, names: [version, options.with] })
    })
}

async function run(
  path: string,
  body: object,
  { json, csv, force, names }: Options & { names: readonly [string, string] },
): Promise<void> {
  if (csv) await refuseExisting(resolve(csv), { force })
  const lines = await withApi(readConfig(), async (api) => {
    const progress = startProgress('read', { quiet: json === true })
    const found: Line[] = []
    for await (const line of api.lines<Line>(path, body)) {
      found.push(line)
      if ('image' in line) progress.update(found.length, found.length, line.image)
    }
    progress.end()
    return found
  })
  const pairs = lines.filter((line): line is PairedPrediction & { agree: boolean } => 'a' in line)
  const summary = lines.find((line) => 'summary' in line)?.summary
  if (csv) await writeFile(resolve(csv), pairedCsv(pairs))
  if (json) return printJson({ summary, pairs })
  if (summary) printSummary(summary, names)
  const different = pairs.filter((pair) => !pair.agree)
  printTable(
    different.slice(0, SHOWN).map((pair) => [pair.image, pair.a.label, pair.b.label, pair.truth]),
    { columns: ['image', ...names, 'truth'], none: 'Both versions agree on every image.' },
  )
  if (csv) printLine(`Every image is in ${basename(csv)}.`)
  else if (different.length > SHOWN) printLine('More differ; --csv FILE writes all.')
  printLine('For research use only. Not a medical device.')
}

function printSummary(
  { n, agreement, kappa, meanGap, truth, auc, failed }: PairedSummary & { failed: number },
  [a, b]: readonly [string, string],
): void {
  const { mcnemar } = truth
  printFields({
    images: n,
    failed: failed > 0 ? failed : null,
    'same decision': share(agreement),
    kappa: share(kappa),
    'mean difference': share(meanGap),
    'known label': truth.n,
    [`right: ${a}`]: truth.n > 0 ? truth.aRight : null,
    [`right: ${b}`]: truth.n > 0 ? truth.bRight : null,
    McNemar:
      truth.n > 0
        ? `p ${mcnemar.p.toFixed(4)} (${mcnemar.method}; only one correct: ${mcnemar.b} and ${mcnemar.c})`
        : null,
    ...Object.fromEntries(
      auc.map((one) => [
        `AUC ${one.label}`,
        `${one.a.toFixed(3)} and ${one.b.toFixed(3)}, DeLong p ${one.p === null ? 'unknown' : one.p.toFixed(4)}`,
      ]),
    ),
  })
}
