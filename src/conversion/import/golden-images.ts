// Golden images of an imported model: a few drawn pictures with the outputs that the graph gave on this machine when it
// was imported, so that every later load can be held against them. They show that the graph still computes the same,
// nothing about how good it is.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uniformAt } from '../../engine/random/counter-random.ts'
import { createSession } from '../../engine/session.ts'
import { AppError } from '../../errors.ts'
import type { Pixels } from '../../imaging/pixels.ts'
import { preprocess } from '../../imaging/preprocess.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import { keptPng } from '../../imaging/rendition.ts'
import type { RawScores } from '../../inference/host/raw-output.ts'
import { type ClassScore, scores } from '../../inference/scores.ts'
import type { Golden, Graph } from '../../package/schema.ts'
import type { ModelMeaning } from './converted-model.ts'

const SIDE = 192
const SEED = 20_26
/** The same graph on another processor differs by rounding only; measured below 1e-6. */
const TOLERANCE = 1e-3

export interface GoldenInput {
  readonly onnx: Uint8Array
  readonly graph: Omit<Graph, 'file'>
  readonly preprocessing: Preprocessing
  readonly meaning: ModelMeaning
}

/**
 * Writes results/golden below `packageDir`. @throws AppError `invalid-package` when the graph cannot be run or gives what
 * is no score
 */
export async function writeGoldenImages(packageDir: string, input: GoldenInput): Promise<void> {
  const folder = join(packageDir, 'results', 'golden')
  await mkdir(folder, { recursive: true })
  const session = await createSession(input.onnx, { threads: 1 }).catch((cause: unknown) => {
    throw new AppError('invalid-package', 'ONNX Runtime cannot load this model; export it again.', {
      cause,
    })
  })
  const items: Golden['items'] = []
  try {
    for (const [name, pixels] of Object.entries(drawings())) {
      const raw = await runGraph(session, { ...input, pixels })
      const given = scoresOf(raw, input.meaning)
      const file = `results/golden/${name}.png`
      await writeFile(join(packageDir, file), await keptPng(pixels))
      items.push({ file, label: null, probabilities: given.map((one) => one.uncalibrated) })
    }
  } finally {
    await session.release()
  }
  const golden: Golden = { schema: 1, tolerance: TOLERANCE, items }
  await writeFile(join(folder, 'golden.json'), `${JSON.stringify(golden, null, 2)}\n`)
}

function scoresOf(raw: RawScores, { kind, classes }: ModelMeaning): readonly ClassScore[] {
  const given = raw.logits ?? raw.probabilities ?? new Float32Array()
  if (!given.every(Number.isFinite)) {
    throw new AppError(
      'invalid-package',
      'For a test image the model gives values that are not finite numbers, so its weights are damaged; export it from an earlier checkpoint.',
    )
  }
  return scores({ kind, classes, raw, calibration: null })
}

async function runGraph(
  session: Awaited<ReturnType<typeof createSession>>,
  { graph, preprocessing, pixels }: GoldenInput & { pixels: Pixels },
) {
  const { width, height, channels } = preprocessing
  const nhwc = preprocess(pixels, preprocessing)
  const isNhwc = graph.input.layout === 'nhwc'
  const feed = isNhwc
    ? { data: nhwc, dims: [1, height, width, channels] }
    : { data: channelsFirst(nhwc, channels), dims: [1, channels, height, width] }
  const outputs = await session.run({ [graph.input.name]: feed }).catch((cause: unknown) => {
    throw new AppError(
      'invalid-package',
      'ONNX Runtime cannot run this model on an image; export it again.',
      { cause },
    )
  })
  const row = (name: string | null): Float32Array | null =>
    name ? (outputs[name]?.data ?? null) : null
  return { logits: row(graph.outputs.logits), probabilities: row(graph.outputs.probabilities) }
}

function channelsFirst(nhwc: Float32Array, channels: number): Float32Array {
  const plane = nhwc.length / channels
  const planes = new Float32Array(nhwc.length)
  for (let i = 0; i < nhwc.length; i++) {
    planes[(i % channels) * plane + Math.floor(i / channels)] = nhwc[i] ?? 0
  }
  return planes
}

/** A slope, rings and noise: smooth, periodic and rough. */
function drawings(): Readonly<Record<string, Pixels>> {
  const centre = (SIDE - 1) / 2
  return {
    slope: draw((x, y) => (x + y) / (2 * (SIDE - 1))),
    rings: draw((x, y) => 0.5 + 0.5 * Math.cos(Math.hypot(x - centre, y - centre) / 6)),
    noise: draw((x, y) => uniformAt(SEED, x, y)),
  }
}

function draw(valueAt: (x: number, y: number) => number): Pixels {
  const data = new Uint8Array(SIDE * SIDE)
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.round(255 * valueAt(i % SIDE, Math.floor(i / SIDE)))
  }
  return { width: SIDE, height: SIDE, channels: 1, data, maxValue: 255 }
}
