// roentgen evaluate: a version on labelled images from elsewhere, with intervals, and a warning when it performs worse there.
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Evaluation } from '../../app/evaluations/evaluate-version.ts'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { parseVersion, versionPath } from '../../package/ids.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { printFields, printJson, printLine, printTable, share } from '../output.ts'
import { startProgress } from '../progress.ts'

type Line =
  | { readonly done: number; readonly total: number }
  | { readonly image: string; readonly problem: { readonly detail: string } }
  /** Why there is no result. */
  | { readonly problem: { readonly detail: string } }
  | { readonly evaluation: Evaluation }

interface Options {
  readonly json?: true
  readonly dataset: string
  readonly split?: string
}

const SPLITS = ['train', 'validation', 'calibration', 'test', 'all']

export function addEvaluateCommand(program: Command): void {
  command(program, 'evaluate <version>', {
    does: 'Validate a version on external labelled images, with 95% confidence intervals; the result is stored with the version',
    example: 'roentgen evaluate pneumonia/tiny-cnn-quick@1 --dataset chest-of-another-hospital',
  })
    .requiredOption(
      '--dataset <folder>',
      'folder inside the dataset folder, or the id of a prepared dataset',
    )
    .addOption(
      new Option('--split <name>', 'default: test of a prepared dataset, all of a folder').choices(
        SPLITS,
      ),
    )
    .action(evaluate)
}

async function evaluate(version: string, { json, dataset, split }: Options): Promise<void> {
  const path = `/api/v1/versions/${versionPath(parseVersion(version))}/evaluate`
  const found = await withApi(readConfig(), async (api) => {
    const progress = startProgress('read', { quiet: json === true })
    let last: Evaluation | undefined
    try {
      for await (const line of api.lines<Line>(path, { dataset, split })) {
        if ('done' in line) progress.update(line.done, line.total)
        else if ('image' in line) progress.say(`${line.image}: ${line.problem.detail}`)
        else if ('problem' in line) throw new AppError('conflict', line.problem.detail)
        else last = line.evaluation
      }
    } finally {
      progress.end()
    }
    return last
  })
  if (!found) throw new AppError('unavailable', 'The evaluation ended without a result.')
  if (json) return printJson(found)
  printEvaluation(found)
}

function printEvaluation({ version, dataset, split, report, metrics }: Evaluation): void {
  const { assessment: a, warnings, leftOut } = report
  for (const warning of warnings) printLine(`! ${warning}`)
  if (warnings.length > 0) printLine()
  const positive = a.classes.filter((one) => one.positive)
  const area = a.classes.length === 2 && positive.length === 1 ? positive[0]?.area : undefined
  printFields({
    version,
    images: `${metrics.n} of ${dataset}${split === 'all' ? '' : `, ${split}`}`,
    excluded: leftOut.count > 0 ? leftOut.count : null,
    [a.confusion === null ? 'all labels correct' : 'accuracy']: estimate(a.accuracy),
    'balanced accuracy': estimate(a.balancedAccuracy),
    AUC: area ? estimate({ value: area.auc, interval: area.interval }) : estimate(a.macro.auc),
    sensitivity: estimate(a.finding.sensitivity),
    specificity: estimate(a.finding.specificity),
    PPV: estimate(a.finding.ppv),
    NPV: estimate(a.finding.npv),
    'ECE, calibrated': `${share(a.quality.calibrated.ece)} (raw ${share(a.quality.raw.ece)})`,
    'Brier, calibrated': `${share(a.quality.calibrated.brier)} (raw ${share(a.quality.raw.brier)})`,
  })
  printLine()
  printTable(
    a.classes.map((one) => [
      one.label,
      one.support,
      estimate(one.precision),
      estimate(one.recall),
      share(one.f1),
      one.area ? estimate({ value: one.area.auc, interval: one.area.interval }) : '-',
      share(one.averagePrecision),
    ]),
    {
      columns: ['class', 'n', 'precision', 'recall', 'F1', 'AUC', 'AP'],
      none: '',
    },
  )
  printLine()
  printTable(
    a.points.map((one) => [
      one.name,
      estimate(one.test.sensitivity),
      estimate(one.test.specificity),
    ]),
    { columns: ['operating point', 'sensitivity', 'specificity'], none: '' },
  )
  printLine('In brackets: 95% confidence intervals. For research use only. Not a medical device.')
}

function estimate(one: {
  readonly value: number | null
  readonly interval: readonly [number, number] | null
}): string {
  const { value, interval } = one
  return interval
    ? `${share(value)} (${share(interval[0])} to ${share(interval[1])})`
    : share(value)
}
