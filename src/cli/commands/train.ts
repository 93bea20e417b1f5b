// roentgen train: one training (see ../train-one.ts) or, with --all, one for every prepared dataset. What it leaves is registered
// and answers only under policy `follow`.
import { type Command, Option } from 'commander'
import { type Config, readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { PRESETS } from '../../training/settings.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { printFields, printJson, printLine, share } from '../output.ts'
import { hyperparametersOf } from '../training/given-settings.ts'
import { addSettingOptions } from '../training/setting-options.ts'
import { type Trained, type TrainOptions, trainOne } from '../training/train-one.ts'

interface Options extends TrainOptions {
  readonly json?: true
  readonly all?: true
}

export function addTrainCommand(program: Command): void {
  const train = command(program, 'train', {
    does: 'Train on a folder of labelled images and register the version. Ctrl-C once stops and keeps the best epoch; twice discards the run.',
    example:
      'roentgen train --condition pneumonia --dataset Dataset/pneumonia --architecture tiny_cnn --preset quick',
  })
    .option('--condition <id>', 'condition')
    .option('--dataset <folder>', 'dataset folder with one folder per class')
    .option(
      '--all',
      'instead: every dataset prepared for a condition, queued in the running server; default: DenseNet121 with both heatmap presets',
    )
    .option('--architecture <name>', 'architecture', 'tiny_cnn')
    .addOption(
      new Option('--preset <preset>', 'epochs: 5, 25, 50; 10 and 15 with 500 images a class')
        .choices(Object.keys(PRESETS))
        .default('standard'),
    )
    .option('--name <name>', 'version name; default: architecture and preset')
    .option('--body-part <text>', 'of a new condition, e.g. chest')
    .option('--set <name=value...>', 'any other setting, e.g. optimizer=sgd trainedLayers=20')
  addSettingOptions(train)
    .option('--init-from <version>', 'start from the weights of a version (in the running server)')
    .option('--tag <tag...>', 'tags of the version')
    .action(run)
}

async function run(given: Partial<Options>, program: Command): Promise<void> {
  const config = readConfig()
  if (given.all) return trainAll(config, given, program)
  const trained = await trainOne(config, { wishes: complete(given), quiet: given.json === true })
  if ('run' in trained) printRun(trained, given)
  else printSummary(trained, given)
}

function printRun(
  { version, run }: Extract<Trained, { run: unknown }>,
  { json }: Partial<Options>,
) {
  if (json) return printJson({ version, run })
  const { history, bestEpoch } = run.progress
  printFields({
    version: version.id,
    status: version.status,
    epochs: `${history.length}, best ${bestEpoch}`,
    'balanced accuracy': share(version.metrics?.balancedAccuracy),
    auc: share(version.metrics?.auc),
  })
  if (version.active) printLine(`${version.id} is active (policy follow).`)
  else printLine(`To activate it: roentgen activate ${version.id} --reason "…"`)
}

function printSummary(
  { version, summary }: Extract<Trained, { summary: unknown }>,
  { json }: Partial<Options>,
) {
  if (json) return printJson({ version, summary: { ...summary, packageDir: undefined } })
  printFields({
    version: version.id,
    status: version.status,
    epochs: `${summary.epochs}, best ${summary.bestEpoch} (${summary.endedBy})`,
    'balanced accuracy': share(summary.balancedAccuracy),
    auc: share(summary.auc),
    time: `${Math.round(summary.seconds)} s`,
  })
  printLine(`To activate it: roentgen activate ${version.id} --reason "…"`)
}

/** @throws AppError `invalid` */
function complete(given: Partial<Options>): Options {
  const { condition, dataset, architecture = 'tiny_cnn', preset = 'standard' } = given
  if (condition === undefined || dataset === undefined) {
    throw new AppError('invalid', 'Specify --condition and --dataset, or --all.')
  }
  return { ...given, condition, dataset, architecture, preset }
}

async function trainAll(
  config: Config,
  options: Partial<Options>,
  program: Command,
): Promise<void> {
  const { trainTogether } = await import('../training/train-together.ts')
  const isGiven = (name: string): boolean => program.getOptionValueSource(name) === 'cli'
  const { architecture = '', preset = 'standard' } = options
  const wishes = {
    architecture: isGiven('architecture') ? architecture : 'DenseNet121',
    presets: isGiven('preset') ? [preset] : ['heatmap-standard', 'heatmap-intensive'],
    hyperparameters: hyperparametersOf(options),
  }
  const set = await withApi(config, async (api) => {
    if (api.isRemote) return trainTogether(api, { wishes, quiet: options.json === true })
    throw new AppError('invalid', '--all needs the running server; start "roentgen serve" first.')
  })
  if (options.json) printJson(set)
  const failed = set.runs.filter(({ run }) => run.state !== 'finished').length
  if (failed > 0)
    throw new AppError('conflict', `${failed} of ${set.runs.length} produced no version.`)
}
