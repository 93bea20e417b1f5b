// Golden images of a trained model: a few test images with the outputs that its graph gave, replayed by the gate at every
// load. Reduced to little more than the model's input, which keeps packages small and still exercises the resizing.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeImage } from '../../imaging/decode.ts'
import type { Pixels } from '../../imaging/pixels.ts'
import { preprocess } from '../../imaging/preprocess.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import { keptPng } from '../../imaging/rendition.ts'
import { scores } from '../../inference/scores.ts'
import type { Golden } from '../../package/schema.ts'
import type { PreparedImage, PreparedIndex } from '../dataset/prepared.ts'
import type { PackageContext } from './package-context.ts'

const COUNT = 4
const LIMITS = { maxBytes: 256 * 1024 * 1024, maxPixels: 100_000_000 }
/** Rounding differs between processors; measured below 1e-6. One changed weight of a small model exceeds this. */
const TOLERANCE = 1e-4

/** Writes results/golden below the package folder. */
export async function writeGolden(c: PackageContext): Promise<void> {
  const { dir, config, index, session } = c
  const { graph } = config
  await mkdir(join(dir, 'results/golden'), { recursive: true })
  const { kind, classes, preprocessing } = index
  const items: Golden['items'] = []
  for (const [at, image] of chooseImages(index).entries()) {
    const bytes = await readFile(join(c.job.datasetDir, image.file))
    const pixels = reduced((await decodeImage(bytes, LIMITS)).pixels, preprocessing)
    const { width, height, channels } = preprocessing
    const x = { data: preprocess(pixels, preprocessing), dims: [1, height, width, channels] }
    const all = await session.run({ [graph.input.name]: x })
    const row = (name: string | null) => (name ? (all[name]?.data ?? null) : null)
    const raw = {
      logits: row(graph.outputs.logits),
      probabilities: row(graph.outputs.probabilities),
    }
    const said = scores({ kind, classes, raw, calibration: null })
    const file = `results/golden/${at + 1}.png`
    await writeFile(join(dir, file), await keptPng(pixels))
    items.push({
      file,
      label: image.classes.map((k) => classes[k]?.label ?? '').join('|') || null,
      probabilities: said.map((one) => one.uncalibrated),
    })
  }
  const golden: Golden = { schema: 1, tolerance: TOLERANCE, items }
  await writeFile(join(dir, 'results/golden/golden.json'), `${JSON.stringify(golden, null, 2)}\n`)
}

/** The first test images by content hash, classes in turn. */
function chooseImages({ images, classes }: PreparedIndex): PreparedImage[] {
  const test = images
    .filter(({ split }) => split === 'test')
    .toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
  const byClass = classes.map((_, k) => test.filter((image) => image.classes.includes(k)))
  const depth = byClass.reduce((most, one) => Math.max(most, one.length), 0)
  const turns = Array.from({ length: depth }, (_, turn) => byClass.map((one) => one[turn]))
  return [...new Set(turns.flat().filter((image) => image !== undefined))].slice(0, COUNT)
}

/** At most half as large again as the model's input, 8 bits. */
function reduced(pixels: Pixels, p: Preprocessing): Pixels {
  const side = Math.round(1.5 * Math.max(p.width, p.height))
  const factor = side / Math.max(pixels.width, pixels.height)
  if (factor >= 1) return pixels
  const width = Math.max(1, Math.round(pixels.width * factor))
  const height = Math.max(1, Math.round(pixels.height * factor))
  const values = preprocess(pixels, {
    schema: 1,
    width,
    height,
    channels: pixels.channels,
    interpolation: 'bilinear',
    aspect: 'stretch',
    antialias: true,
    scale: 1,
    mean: [0],
    std: [1],
    order: 'rgb',
  })
  const data = Uint8Array.from(values, (value) => Math.min(255, Math.max(0, Math.round(value))))
  return { width, height, channels: pixels.channels, data, maxValue: 255 }
}
