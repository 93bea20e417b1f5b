// roentgen weights list | fetch | import: pretrained weights that trainings start from. They lie in the data folder, beside
// the database and not in it, so that no lock and no server is needed.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { fetchable } from '../../conversion/pretrained/published-files.ts'
import { listWeights, type StoredWeights } from '../../conversion/pretrained/weights-store.ts'
import { AppError } from '../../errors.ts'
import { command } from '../command.ts'
import { bytesText, printFields, printJson, printLine, printTable } from '../output.ts'
import { startProgress } from '../progress.ts'
import { textOrFile } from '../text-or-file.ts'

interface ImportOptions {
  readonly json?: true
  readonly architecture?: string
  readonly name?: string
  readonly preprocessing?: string
  readonly replace?: true
}

export function addWeightsCommands(program: Command): void {
  const group = program
    .command('weights')
    .description('Pretrained weights for trainings to start from')
    .helpCommand(false)

  command(group, 'list', {
    does: 'List installed and available weights',
    example: 'roentgen weights list',
  }).action(list)

  command(group, 'fetch <name>', {
    does: 'Download published ImageNet weights, verify the checksum and install them',
    example: 'roentgen weights fetch densenet121',
  })
    .option('--replace', 'even if already installed')
    .action(fetch)

  command(group, 'import <file>', {
    does: 'Install weights from a file: Keras .h5, a PyTorch state dict (.pth, .safetensors), or the folder of a TF.js model',
    example: 'roentgen weights import densenet121-chest.pth --architecture densenet121',
  })
    .option('--architecture <name>', 'their architecture; default: detected from the file')
    .option('--name <name>', 'what to call them; <architecture>-imagenet is what "imagenet" means')
    .option(
      '--preprocessing <what>',
      'pixel scaling: tf, torch, caffe, unit, raw, xrv, or a JSON file; default: that of their library',
    )
    .option('--replace', 'overwrite weights of the same name')
    .action(importFile)
}

async function list({ json }: { json?: true }): Promise<void> {
  const kept = await listWeights(readConfig().dataDir)
  if (json) {
    const published = fetchable().map(({ key, title, architecture }) => ({
      key,
      title,
      architecture,
    }))
    printJson({ kept, fetchable: published })
    return
  }
  printTable(
    kept.map((one) => [
      one.name,
      one.architecture,
      one.parameters.toLocaleString('en'),
      one.channels === 1 ? 'grey' : 'colour',
      one.source.published ?? one.source.fileName,
      one.sha256.slice(0, 12),
    ]),
    {
      columns: ['name', 'architecture', 'parameters', 'images', 'from', 'sha256'],
      none: 'No weights installed yet.',
    },
  )
  const names = new Set(kept.map(({ name }) => name))
  const absent = fetchable().filter(({ key }) => !names.has(key) && !names.has(`${key}-imagenet`))
  if (absent.length === 0) return
  printLine()
  printLine(`Available: ${absent.map(({ key }) => key).join(', ')}.`)
}

async function fetch(
  key: string,
  { json, replace }: { json?: true; replace?: true },
): Promise<void> {
  const { dataDir, weightsUrl: mirror } = readConfig()
  const { fetchWeights } = await import('../../conversion/pretrained/fetch-weights.ts')
  const progress = startProgress('fetched', { quiet: json === true })
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort()
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    const { signal } = interrupted
    const onProgress = (done: number, total: number) =>
      progress.update(done, total, `${bytesText(done)} of ${bytesText(total)}`)
    const at = new Date()
    const weights = await fetchWeights({ dataDir, key, mirror, replace, onProgress, signal, at })
    progress.end()
    show(weights, json)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    progress.end()
  }
}

async function importFile(path: string, options: ImportOptions): Promise<void> {
  const { dataDir } = readConfig()
  const { importWeights } = await import('../../conversion/pretrained/import-weights.ts')
  const { json, architecture, name, preprocessing, replace } = options
  const scaling = preprocessing === undefined ? undefined : await scalingOf(preprocessing)
  const wishes = { dataDir, path: resolve(path), architecture, name, scaling, replace }
  show(await importWeights({ ...wishes, at: new Date() }), json)
}

/** @throws AppError `invalid` */
async function scalingOf(text: string) {
  const { parseScaling } = await import('../../conversion/import/foreign-fields.ts')
  const scaling = parseScaling(await textOrFile(text))
  if (scaling) return scaling
  throw new AppError('invalid', '--preprocessing must say how pixels are scaled.')
}

function show(weights: StoredWeights, json: true | undefined): void {
  if (json) {
    printJson(weights)
    return
  }
  const { name, architecture, variant, parameters, channels, source, sha256 } = weights
  printFields({
    name,
    architecture: `${architecture} (as ${variant === 'torchvision' ? 'torchvision' : 'Keras'} has it)`,
    parameters: parameters.toLocaleString('en'),
    images: channels === 1 ? 'grey' : 'colour',
    from: source.published ?? source.fileName,
    sha256,
  })
  const word = name === `${architecture}-imagenet` ? 'imagenet' : name
  printLine(`To train from them: roentgen train --architecture ${architecture} --weights ${word} …`)
}
