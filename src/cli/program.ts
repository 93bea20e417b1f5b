// All commands under one name. What each does is in commands/, one file for each group.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addActivationCommands } from './commands/activation.ts'
import { addAliasCommands } from './commands/alias.ts'
import { addBackupCommands } from './commands/backup.ts'
import { addChallengerCommands } from './commands/challenger.ts'
import { addCompareCommand } from './commands/compare.ts'
import { addConditionCommands } from './commands/condition.ts'
import { addConvertCommand } from './commands/convert.ts'
import { addDatasetCommands } from './commands/dataset.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addEngineCommand } from './commands/engine.ts'
import { addEvaluateCommand } from './commands/evaluate.ts'
import { addKeysCommands } from './commands/keys.ts'
import { addPackageCommands } from './commands/packages.ts'
import { addPairedCommands } from './commands/paired.ts'
import { addPredictCommand } from './commands/predict.ts'
import { addServeCommand } from './commands/serve.ts'
import { addTrainCommand } from './commands/train.ts'
import { addVersionsCommands } from './commands/versions.ts'
import { addWeightsCommands } from './commands/weights.ts'

export function buildProgram(): Command {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  const program = new Command('roentgen')
    .description('Analyses X-rays with heatmaps, trains models and manages versions.')
    .version(version)
    .helpCommand(false)
    // So that `predict --version <version>` is not the program's own --version.
    .enablePositionalOptions()
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`roentgen: ${text.replace(/^error: /, '')}`),
    })
  for (const add of [
    addServeCommand,
    addPredictCommand,
    addCompareCommand,
    addPairedCommands,
    addEvaluateCommand,
    addConditionCommands,
    addVersionsCommands,
    addActivationCommands,
    addAliasCommands,
    addChallengerCommands,
    addPackageCommands,
    addConvertCommand,
    addKeysCommands,
    addBackupCommands,
    addDatasetCommands,
    addTrainCommand,
    addWeightsCommands,
    addEngineCommand,
    addDoctorCommand,
  ]) {
    add(program)
  }
  return program
}
