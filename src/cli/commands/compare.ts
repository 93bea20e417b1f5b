// roentgen compare: one image through two versions, side by side; or several models (see ../compare-models.ts).
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import { PRESETS } from '../../training/settings.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { openFile } from '../open-file.ts'
import { printJson, printLine, printTable, share } from '../output.ts'
import type { CompareModelsOptions } from '../training/compare-models.ts'
import { addSettingOptions } from '../training/setting-options.ts'

interface Comparison {
  readonly a: Prediction
  readonly b: Prediction
  readonly agree: boolean
  /** Calibrated probability of b less that of a, by label. */
  readonly deltas: Readonly<Record<string, number>>
}

interface Options extends CompareModelsOptions {
  readonly a?: string
  readonly b?: string
}

export function addCompareCommand(program: Command): void {
  const compare = command(program, 'compare [image]', {
    does: 'Compare two versions on one image; or, without an image, train several architectures and compare them (results, tables, plots)',
    example:
      'roentgen compare chest.png --condition pneumonia --a pneumonia/tiny-cnn-quick@1 --b pneumonia/tiny-cnn-quick@2\n  ' +
      'roentgen compare --condition skin-lesion --dataset Dataset/ham10000 --architectures resnet50 efficientnet_b3 densenet121 vit_b_16 --epochs 20 --batch-size 32 --seed 42 --output-dir comparison',
  })
    .option('--condition <id>', 'condition')
    .option('--a <version>', 'one version')
    .option('--b <version>', 'the other')
    .option('--architectures <name...>', 'architectures to train')
    .option('--dataset <folder>', 'folder of labelled images')
    .option('--versions <version...>', 'instead: registered versions')
    .option('--results <file>', 'instead: rebuild everything from a comparison_results.json')
    .option('--output-dir <folder>', 'output folder; by default comparison-<condition>')
    .addOption(
      new Option('--preset <preset>', 'of the trainings')
        .choices(Object.keys(PRESETS))
        .default('standard'),
    )
    .option('--body-part <text>', 'of a new condition, e.g. skin')
    .option('--set <name=value...>', 'any other setting')
  addSettingOptions(compare).action(async (image: string | undefined, options: Options) => {
    if (image === undefined) {
      const { compareModelsCommand } = await import('../training/compare-models.ts')
      return compareModelsCommand(readConfig(), options)
    }
    const { condition, a, b, json } = options
    if (condition === undefined || a === undefined || b === undefined) {
      throw new AppError('invalid', 'To compare on an image, give --condition, --a and --b.')
    }
    return compareOnImage(image, { condition, a, b, ...(json && { json }) })
  })
}

interface OnImage {
  readonly json?: true
  readonly condition: string
  readonly a: string
  readonly b: string
}

async function compareOnImage(image: string, { json, condition, a, b }: OnImage): Promise<void> {
  const form = new FormData()
  form.set('image', await openFile(image), basename(image))
  for (const [field, value] of Object.entries({ condition, a, b })) form.set(field, value)
  const found = await withApi(readConfig(), (api) => api.form<Comparison>('/api/v1/compare', form))
  if (json) return printJson(found)

  const sides = [found.a, found.b]
  const probability = (side: Prediction, label: string): string =>
    share(side.classes.find((one) => one.label === label)?.probability)
  const rows = Object.entries(found.deltas).map(([label, delta]) => {
    const signed = `${delta > 0 ? '+' : ''}${delta.toFixed(3)}`
    return [label, ...sides.map((side) => probability(side, label)), signed]
  })
  const decisions = sides.map(({ decision }) => decision.label)
  printTable([...rows, ['decision', ...decisions, found.agree ? 'the same' : 'differs']], {
    columns: ['', found.a.version, found.b.version, 'b - a'],
    none: '',
  })
  printLine('For research use only. Not a medical device.')
}
