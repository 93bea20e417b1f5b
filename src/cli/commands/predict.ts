// roentgen predict: one or more images through a version.
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError, isAppError, messageOf } from '../../errors.ts'
import { EXPLAIN_METHODS } from '../../inference/explain/explain.ts'
import type { Prediction } from '../../registry/predictions.ts'
import { type Api, withApi } from '../api.ts'
import { command } from '../command.ts'
import { openFile } from '../open-file.ts'
import { printable, printJson, printLine, share } from '../output.ts'

interface Options {
  readonly json?: true
  readonly condition: string
  readonly version?: string
  readonly operatingPoint?: string
  readonly explain?: string
  readonly layer?: string
  readonly target?: string
  readonly heatmap?: string
  readonly composite?: true
}

export function addPredictCommand(program: Command): void {
  command(program, 'predict <image...>', {
    does: 'Read images: label, calibrated probability, decision, version, heatmap. With --json one line an image.',
    example: 'roentgen predict chest.png --condition pneumonia --heatmap map.png --composite',
  })
    .requiredOption('--condition <id>', 'what to look for')
    .option('--version <version>', 'another version than the active one')
    .option('--operating-point <name>', 'another decision rule than the one in use')
    .addOption(new Option('--explain <method>', 'how to explain').choices(EXPLAIN_METHODS))
    .option('--layer <name>', 'the layer to explain')
    .option('--target <label>', 'the class to explain, instead of the predicted one')
    .option('--heatmap <file>', 'write the heatmap as PNG; for one image')
    .option('--composite', 'with --heatmap: the image with the map upon it')
    .action(predict)
}

async function predict(images: readonly string[], options: Options): Promise<void> {
  if (options.heatmap !== undefined && images.length > 1) {
    throw new AppError('invalid', '--heatmap writes one file; give one image.')
  }
  await withApi(readConfig(), async (api) => {
    let failed = 0
    for (const image of images) {
      try {
        await predictOne(api, { image, options })
      } catch (error) {
        if (images.length === 1 || !isAppError(error)) throw error
        // The others are still read; the exit status tells that one was not.
        failed++
        process.stderr.write(`roentgen: ${printable(`${image}: ${error.message}`)}\n`)
      }
    }
    if (failed > 0) throw new AppError('invalid', `${failed} of ${images.length} images failed.`)
  })
}

async function predictOne(
  api: Api,
  { image, options }: { image: string; options: Options },
): Promise<void> {
  const form = new FormData()
  form.set('image', await openFile(image), basename(image))
  for (const field of [
    'condition',
    'version',
    'operatingPoint',
    'explain',
    'layer',
    'target',
  ] as const) {
    if (options[field] !== undefined) form.set(field, options[field])
  }
  const prediction = await api.form<Prediction>('/api/v1/predict', form)
  if (options.heatmap !== undefined) await saveHeatmap(api, { prediction, options })
  if (options.json) return printJson(prediction)

  const { decision, classes, confidence, version, role, heatmap, warnings } = prediction
  const rule = decision.threshold === null ? '' : `, threshold ${share(decision.threshold)}`
  const point = decision.operatingPoint ? ` at "${decision.operatingPoint}"` : ''
  const calibrated = prediction.calibration ? 'calibrated' : 'not calibrated'
  printLine(image)
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
  printLine('  For research, not a medical device.')
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
