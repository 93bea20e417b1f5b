// roentgen compare: one image through two versions, side by side.
import { basename } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import type { Prediction } from '../../registry/predictions.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { openFile } from '../open-file.ts'
import { printJson, printLine, printTable, share } from '../output.ts'

interface Comparison {
  readonly a: Prediction
  readonly b: Prediction
  readonly agree: boolean
  /** Calibrated probability of b less that of a, by label. */
  readonly deltas: Readonly<Record<string, number>>
}

interface Options {
  readonly json?: true
  readonly condition: string
  readonly a: string
  readonly b: string
}

export function addCompareCommand(program: Command): void {
  command(program, 'compare <image>', {
    does: 'Read one image with two versions and show where they differ',
    example:
      'roentgen compare chest.png --condition pneumonia --a pneumonia/tiny-cnn-quick@1 --b pneumonia/tiny-cnn-quick@2',
  })
    .requiredOption('--condition <id>', 'what to look for')
    .requiredOption('--a <version>', 'one version')
    .requiredOption('--b <version>', 'the other')
    .action(compare)
}

async function compare(image: string, { json, condition, a, b }: Options): Promise<void> {
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
  printLine('For research, not a medical device.')
}
