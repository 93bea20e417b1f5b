// Drawn images that an imported model is tried on, and how one of them goes through its graph.
import { uniformAt } from '../../engine/random/counter-random.ts'
import type { Session } from '../../engine/session.ts'
import { AppError } from '../../errors.ts'
import type { Pixels } from '../../imaging/pixels.ts'
import { preprocess } from '../../imaging/preprocess.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import type { RawScores } from '../../inference/host/raw-output.ts'
import type { Graph } from '../../package/schema.ts'

const SIDE = 192
const SEED = 20_26

export interface TrialInput {
  readonly graph: Omit<Graph, 'file'>
  readonly preprocessing: Preprocessing
}

/** @throws AppError `invalid-package` when ONNX Runtime fails on it */
export async function rawScores(
  session: Session,
  { graph, preprocessing, pixels }: TrialInput & { readonly pixels: Pixels },
): Promise<RawScores> {
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
export function trialImages(): Readonly<Record<string, Pixels>> {
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
