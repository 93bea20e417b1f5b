// roentgen dataset synth: synthetic images with masks, to try and to demonstrate. Needs no home.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { command, fraction, wholeNumber } from '../command.ts'
import { printJson, printLine } from '../output.ts'
import { startProgress } from '../progress.ts'

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
    .description('Labelled images: make synthetic ones')
    .helpCommand(false)

  command(group, 'synth', {
    does: 'Make a folder of synthetic images with the masks of their lesions; never for use on patients',
    example:
      'roentgen dataset synth --condition pneumonia --per-class 400 --seed 7 --out Dataset/pneumonia',
  })
    .requiredOption('--condition <id>', 'what to draw, e.g. pneumonia or skin-lesion')
    .option('--per-class <number>', 'images of each class', wholeNumber(1, 1_000_000))
    .option('--count <number>', 'images in all, instead of --per-class', wholeNumber(1, 1_000_000))
    .option(
      '--seed <number>',
      'the same seed draws the same images',
      wholeNumber(0, 2 ** 31 - 1),
      7,
    )
    .option('--size <pixels>', 'side of an image', wholeNumber(32, 2048), 256)
    .option('--sixteen-bit <share>', 'share of images with 16 bits, 0 to 1', fraction)
    .requiredOption('-o, --out <folder>', 'an empty or a new folder')
    .action(synth)
}

async function synth(options: SynthOptions): Promise<void> {
  const { SYNTHETIC_NOTICE, synthesise } = await import('../../training/synth/dataset.ts')
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
    printLine(`Made ${each.join(', ')} of ${patients} invented patients in ${options.out}.`)
    printLine(`${SYNTHETIC_NOTICE[0]?.toUpperCase()}${SYNTHETIC_NOTICE.slice(1)}.`)
  } finally {
    progress.end()
  }
}
