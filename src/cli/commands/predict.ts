// roentgen predict: one or more images, folders or zips of them through a version.
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import type { BatchItem } from '../../app/batches/batch-item.ts'
import type { CsvEntry } from '../../app/diagnosis/prediction-csv.ts'
import { readConfig } from '../../config.ts'
import { AppError, isAppError, messageOf } from '../../errors.ts'
import { EXPLAIN_METHODS } from '../../inference/explain/explain.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import { type Api, withApi } from '../api.ts'
import { command } from '../command.ts'
import { printable, printJson, printLine, share } from '../output.ts'
import { openTable } from '../prediction-table.ts'
import { startProgress } from '../progress.ts'

interface Options {
  readonly json?: true
  readonly condition: string
  readonly version?: string
  readonly operatingPoint?: string
  readonly explain?: string
  readonly layer?: string
  readonly target?: string
  readonly frame?: string
  readonly csv?: string
  readonly heatmap?: string
  readonly composite?: true
}

export function addPredictCommand(program: Command): void {
  command(program, 'predict <image...>', {
    does: 'Analyse images, folders or zips: label, calibrated probability, decision, version, heatmap. With --json, one line per image.',
    example: 'roentgen predict chest.png --condition pneumonia --heatmap map.png --composite',
  })
    .requiredOption('--condition <id>', 'condition')
    .option('--version <version>', 'version other than the active one')
    .option('--operating-point <name>', 'operating point other than the one in use')
    .addOption(new Option('--explain <method>', 'heatmap method').choices(EXPLAIN_METHODS))
    .option('--layer <name>', 'heatmap layer')
    .option('--target <label>', 'class to explain; default: the predicted one')
    .option('--frame <n>', 'frame of a multi-frame file, from 1')
    .option('--heatmap <file>', 'write the heatmap as PNG; for one image')
    .option('--composite', 'with --heatmap: image with heatmap overlay')
    .option('--csv <file>', 'write all results as a table')
    .action(predict)
}

async function predict(paths: readonly string[], options: Options): Promise<void> {
  // Loaded here, so that other commands start without it.
  const { openImages } = await import('../open-images.ts')
  const images = await openImages(paths)
  try {
    if (options.heatmap !== undefined && images.items.length > 1) {
      throw new AppError('invalid', '--heatmap writes one file; give one image.')
    }
    await withApi(readConfig(), (api) => predictAll(api, { images: images.items, options }))
  } finally {
    await images.close()
  }
}

async function predictAll(
  api: Api,
  { images, options }: { images: readonly BatchItem[]; options: Options },
): Promise<void> {
  const table = options.csv === undefined ? undefined : await openTable(api, options.csv, options)
  // One image is its own progress; a bar would stand between lines of answers on a terminal.
  const quiet = images.length < 2 || (process.stdout.isTTY && !options.json)
  const progress = startProgress('reading', { quiet })
  let failed = 0
  try {
    for (const [at, item] of images.entries()) {
      const result = await resultOf(api, { item, options, isOnly: images.length === 1 })
      if (!('classes' in result)) failed++
      await table?.add({ n: at + 1, file: item.name, result })
      progress.update(at + 1, images.length)
    }
  } finally {
    progress.end()
    await table?.close()
  }
  if (failed > 0) throw new AppError('invalid', `${failed} of ${images.length} images failed.`)
}

/** Of several images the others are still read when one fails; the exit status tells. */
async function resultOf(
  api: Api,
  o: { readonly item: BatchItem; readonly options: Options; readonly isOnly: boolean },
): Promise<CsvEntry['result']> {
  try {
    return await predictOne(api, o)
  } catch (error) {
    if (!isAppError(error) || (o.isOnly && o.options.csv === undefined)) throw error
    process.stderr.write(`roentgen: ${printable(`${o.item.name}: ${error.message}`)}\n`)
    const { problemOf } = await import('../../app/problem.ts')
    return problemOf(error)
  }
}

async function predictOne(
  api: Api,
  { item, options }: { readonly item: BatchItem; readonly options: Options },
): Promise<Prediction> {
  const form = new FormData()
  const bytes = await item.read()
  form.set('image', new Blob([Uint8Array.from(bytes)]), basename(item.name))
  for (const field of [
    'condition',
    'version',
    'operatingPoint',
    'explain',
    'layer',
    'target',
    'frame',
  ] as const) {
    if (options[field] !== undefined) form.set(field, options[field])
  }
  const prediction = await api.form<Prediction>('/api/v1/predict', form)
  if (options.heatmap !== undefined) await saveHeatmap(api, { prediction, options })
  if (options.json) printJson(prediction)
  else printPrediction(prediction, { name: item.name, options })
  return prediction
}

function printPrediction(
  prediction: Prediction,
  { name, options }: { readonly name: string; readonly options: Options },
): void {
  const { decision, classes, confidence, version, role, heatmap, warnings } = prediction
  const rule = decision.threshold === null ? '' : `, threshold ${share(decision.threshold)}`
  const point = decision.operatingPoint ? ` at "${decision.operatingPoint}"` : ''
  const calibrated = prediction.calibration ? 'calibrated' : 'not calibrated'
  printLine(printable(name))
  printLine(
    `  decision     ${decision.label} (${decision.positive ? 'positive' : 'negative'})${rule}${point}`,
  )
  printLine(`  probability  ${share(confidence)} (${calibrated})`)
  printLine(
    `  classes      ${classes.map((one) => `${one.label} ${share(one.probability)}`).join(', ')}`,
  )
  printLine(`  version      ${version} (${role})`)
  printLine(`  prediction   ${prediction.id}`)
  if (options.heatmap !== undefined) {
    printLine(`  heatmap      ${options.heatmap} (${heatmap?.method} of ${heatmap?.target})`)
  }
  for (const warning of warnings) printLine(`  warning      ${warning}`)
  printLine('  For research use only. Not a medical device.')
}

async function saveHeatmap(
  api: Api,
  { prediction, options }: { prediction: Prediction; options: Options },
): Promise<void> {
  if (!prediction.heatmap) {
    throw new AppError('invalid', 'This prediction has no heatmap; choose another --explain.')
  }
  const url = prediction.heatmap.url + (options.composite ? '?composite=1' : '')
  const response = await api.file(url)
  try {
    await writeFile(options.heatmap as string, await response.bytes())
  } catch (cause) {
    const message = `The heatmap could not be written (${messageOf(cause).split(':')[0]}).`
    throw new AppError('unavailable', message, { cause })
  }
}
