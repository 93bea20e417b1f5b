// Prediction: the whole path from JPEG bytes to calibrated scores and a heatmap PNG, against a bare ONNX Runtime run of the
// same graph, and what Grad-CAM costs. In one process: without the hop to a model host. `node bench/prediction.ts [rounds] [threads]`
import { cpus } from 'node:os'
import sharp from 'sharp'
import { predictionGraph } from '../src/engine/prediction-graph.ts'
import { createSession, type Session } from '../src/engine/session.ts'
import { decodeImage } from '../src/imaging/decode.ts'
import { heatmapPng } from '../src/imaging/heatmap.ts'
import { preprocess } from '../src/imaging/preprocess.ts'
import type { Preprocessing } from '../src/imaging/preprocessing.ts'
import { findLayerEvidence } from '../src/inference/explain/evidence.ts'
import { gradCam } from '../src/inference/explain/gradcam.ts'
import { scores } from '../src/inference/scores.ts'
import { alternating, table } from './alternating.ts'
import { densenet121 } from './densenet121.ts'

const SIZE = 224
const LIMITS = { maxBytes: 1e8, maxPixels: 1e8 }
const CLASSES = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]
const CALIBRATION = {
  method: 'temperature',
  temperature: 1.5,
  eceBefore: null,
  eceAfter: null,
  n: 0,
} as const
const PREPROCESSING: Preprocessing = {
  schema: 1,
  width: SIZE,
  height: SIZE,
  channels: 3,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  order: 'rgb',
}

/** A grey JPEG of 1024 x 1024 with structure and noise, as large as a typical export of a radiograph. */
async function jpeg(): Promise<Uint8Array> {
  const side = 1024
  const pixels = Uint8Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side]
    return 128 + 60 * Math.sin(row / 40) * Math.cos(column / 55) + ((i * 2654435761) % 32)
  })
  return sharp(pixels, { raw: { width: side, height: side, channels: 1 } })
    .jpeg({ quality: 90 })
    .toBuffer()
}

async function wholePath(bytes: Uint8Array, session: Session): Promise<Uint8Array> {
  const { pixels } = await decodeImage(bytes, LIMITS)
  const data = preprocess(pixels, PREPROCESSING)
  const results = await session.run({ input: { data, dims: [1, SIZE, SIZE, 3] } })
  return drawn(results, pixels)
}

function drawn(
  results: Awaited<ReturnType<Session['run']>>,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array {
  const raw = {
    logits: results.logits?.data ?? null,
    probabilities: null,
    features: results.features ?? null,
    gradients: results.gradients ?? null,
  }
  scores({ kind: 'single-label', classes: CLASSES, raw, calibration: CALIBRATION })
  const layer = findLayerEvidence({ kind: 'single-label', classes: CLASSES, raw, target: 1 })
  if (!layer) throw new Error('the graph has no features')
  const { grid, width: gridWidth, height: gridHeight } = gradCam(layer)
  return heatmapPng({ grid, gridWidth, gridHeight, scale: 1, width, height, rule: PREPROCESSING })
}

const [rounds = 15, threads = 2] = process.argv.slice(2).map(Number)
const model = densenet121({ size: SIZE, outputs: CLASSES.length })
const explained = predictionGraph(model, { lastActivation: 'softmax' })
const plain = predictionGraph(model, { lastActivation: 'softmax', explain: false })
const [withMaps, withoutMaps] = [
  await createSession(explained.onnx, { threads }),
  await createSession(plain.onnx, { threads }),
]
const bytes = await jpeg()
const { pixels } = await decodeImage(bytes, LIMITS)
const input = { data: preprocess(pixels, PREPROCESSING), dims: [1, SIZE, SIZE, 3] }
const results = await withMaps.run({ input })
const timings = await alternating(
  [
    { name: 'bare ONNX Runtime, logits only', run: () => withoutMaps.run({ input }) },
    { name: 'bare ONNX Runtime, with features and gradients', run: () => withMaps.run({ input }) },
    { name: 'JPEG to calibrated scores and heatmap PNG', run: () => wholePath(bytes, withMaps) },
    { name: '  of it: decoding', run: () => decodeImage(bytes, LIMITS) },
    { name: '  of it: preprocessing', run: async () => preprocess(pixels, PREPROCESSING) },
    { name: '  of it: scores, Grad-CAM, heatmap PNG', run: async () => drawn(results, pixels) },
  ],
  rounds,
)
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, ${threads} threads, ${rounds} alternating rounds`,
)
console.log(table('DenseNet121, 224 px, one image', timings))
await Promise.all([withMaps.release(), withoutMaps.release()])
