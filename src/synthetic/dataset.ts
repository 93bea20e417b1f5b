// Writes a folder of synthetic images: OUT/<CLASS>/<id>.png, OUT/masks/<CLASS>/<id>.png, OUT/index.csv and, last,
// OUT/dataset.json. Same seed, same bytes. What an image looks like: render.ts.
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { AppError } from '../errors.ts'
import type { Pixels } from '../imaging/pixels.ts'
import { getSynthCondition, type SynthCondition } from './conditions.ts'
import { renderSynthetic } from './drawing/render.ts'

export const SYNTHETIC_NOTICE = 'synthetic demonstration, not for use on patients'

/** Raised when the same seed begins to give other images. */
export const GENERATOR_VERSION = 1

export interface SynthesiseOptions {
  readonly condition: string
  /** Images of each class; or else `count`, shared out evenly, the first classes taking the rest. */
  readonly perClass?: number
  readonly count?: number
  readonly seed: number
  /** Side in pixels, 32 to 2048; 256 by default. */
  readonly size?: number
  /** Share of images that are written with 16 bits, 0..1; 0 by default. Photographs stay at 8. */
  readonly sixteenBitShare?: number
  /** A folder that does not exist yet or is empty. */
  readonly outDir: string
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

export interface SynthesisedDataset {
  readonly condition: SynthCondition
  readonly outDir: string
  readonly counts: Readonly<Record<string, number>>
  readonly patients: number
}

interface Row {
  readonly file: string
  readonly label: string
  readonly patient: string
  readonly mask: string
  readonly bits: 8 | 16
  readonly artefacts: readonly string[]
}

/** @throws AppError `unknown-condition`, `invalid`, `conflict` when the folder is not empty */
export async function synthesise(options: SynthesiseOptions): Promise<SynthesisedDataset> {
  const { outDir, seed, size = 256 } = options
  const condition = getSynthCondition(options.condition)
  const plan = planImages(condition, options)
  await makeEmptyFolder(outDir)
  for (const { label } of condition.classes) {
    await mkdir(join(outDir, label), { recursive: true })
    await mkdir(join(outDir, 'masks', label), { recursive: true })
  }

  const rows: Row[] = []
  for (const { label, index, bits } of plan) {
    options.signal?.throwIfAborted()
    const image = renderSynthetic({ condition: condition.id, label, seed, index, size, bits })
    const name = `${condition.id}-${seed}-${label.toLowerCase()}-${String(index).padStart(5, '0')}.png`
    const file = `${label}/${name}`
    await Promise.all([
      writePng(join(outDir, file), image.pixels),
      writePng(join(outDir, 'masks', file), image.mask),
    ])
    rows.push({
      file,
      label,
      patient: image.patient,
      mask: `masks/${file}`,
      bits,
      artefacts: image.artefacts,
    })
    options.onProgress?.(rows.length, plan.length)
  }
  const counts = Object.fromEntries(
    condition.classes.map(({ label }) => [label, rows.filter((row) => row.label === label).length]),
  )
  const patients = new Set(rows.map((row) => row.patient)).size
  await writeFile(join(outDir, 'index.csv'), toCsv(rows))
  await writeFile(
    join(outDir, 'dataset.json'),
    `${JSON.stringify({ schema: 1, notice: SYNTHETIC_NOTICE, generator: GENERATOR_VERSION, condition, seed, size, counts, patients }, null, 2)}\n`,
  )
  return { condition, outDir, counts, patients }
}

/** Classes in turn, so that an interrupted run is still balanced. */
function planImages(condition: SynthCondition, options: SynthesiseOptions) {
  const { perClass, count, sixteenBitShare = 0 } = options
  const classes = condition.classes.length
  const total = count ?? (perClass ?? 0) * classes
  if ((perClass === undefined) === (count === undefined)) {
    throw new AppError('invalid', 'Give either the number per class or the total.')
  }
  if (!Number.isSafeInteger(total) || total < classes || total > 1_000_000) {
    throw new AppError(
      'invalid',
      'The number of images must be at least one for each class and at most a million.',
    )
  }
  if (!(sixteenBitShare >= 0 && sixteenBitShare <= 1)) {
    throw new AppError('invalid', 'The share of 16-bit images must lie between 0 and 1.')
  }
  const share = condition.channels === 1 ? sixteenBitShare : 0
  return Array.from({ length: total }, (_, i) => {
    const index = Math.floor(i / classes)
    // Spread evenly over each class: the n-th is 16-bit when n * share passes a whole number.
    const bits: 8 | 16 = Math.floor((index + 1) * share) > Math.floor(index * share) ? 16 : 8
    return { label: condition.classes[i % classes]?.label as string, index, bits }
  })
}

async function makeEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) {
    throw new AppError(
      'conflict',
      'The folder for the synthetic images is not empty: choose a new one.',
    )
  }
}

async function writePng(path: string, pixels: Pixels): Promise<void> {
  const { width, height, channels, data } = pixels
  const image = sharp(data, { raw: { width, height, channels } })
  const colour = channels === 3 ? 'srgb' : data instanceof Uint16Array ? 'grey16' : 'b-w'
  await image.toColourspace(colour).png({ compressionLevel: 6 }).toFile(path)
}

function toCsv(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    [row.file, row.label, row.patient, row.mask, row.bits, row.artefacts.join(' ')].join(','),
  )
  return `${['file,class,patient,mask,bits,artefacts', ...lines].join('\n')}\n`
}
