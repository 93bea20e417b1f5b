// Test support: complete packages with a small real ONNX graph (convolution, pooling, linear head), written in a moment.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import sharp from 'sharp'
import { encodeModel, type OnnxNode, type OnnxTensor } from '../../src/engine/onnx/model.ts'
import { createSession } from '../../src/engine/session.ts'
import { decodeImage } from '../../src/imaging/decode.ts'
import { preprocess } from '../../src/imaging/preprocess.ts'
import type { Preprocessing } from '../../src/imaging/preprocessing.ts'
import type { ServingSource } from '../../src/inference/host/serving-copy.ts'
import { scores } from '../../src/inference/scores.ts'
import { writeManifest } from '../../src/package/manifest.ts'
import type { ClassLabel, ConditionKind, Graph, ModelConfig } from '../../src/package/schema.ts'

export const SIDE = 16
export const FEATURES = 4

export const PREPROCESSING: Preprocessing = {
  schema: 1,
  width: SIDE,
  height: SIDE,
  channels: 1,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  scale: 1 / 255,
  mean: [0.5],
  std: [0.5],
  order: 'rgb',
}

export const BINARY: readonly ClassLabel[] = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]

export interface TinyOptions {
  readonly condition?: string
  readonly name?: string
  readonly seed: number
  readonly kind?: ConditionKind
  readonly classes?: readonly ClassLabel[]
  /** Images stored with their outputs. */
  readonly golden?: number
  /** Added to each stored golden probability. */
  readonly goldenError?: number
  /** Bytes written instead of the graph. */
  readonly graphBytes?: Uint8Array
  /** Without features and gradients. */
  readonly plain?: boolean
  readonly layout?: 'nhwc' | 'nchw'
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'roentgen-inference-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Repeatable values in -1..1. */
export function noise(seed: number, length: number): Float32Array {
  let state = seed >>> 0
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return (((state ^ (state >>> 13)) >>> 0) / 2 ** 32) * 2 - 1
  })
}

/** An 8-bit grey PNG of 24 x 20 pixels. */
export function image(seed: number): Promise<Uint8Array> {
  const pixels = Uint8Array.from(noise(seed, 24 * 20), (value) => Math.round((value + 1) * 127.5))
  return sharp(pixels, { raw: { width: 24, height: 20, channels: 1 } })
    .png()
    .toBuffer()
}

/** Writes `<dir>/v<seed>` and gives what the runtime needs to serve it. */
export async function tinyPackage(dir: string, o: TinyOptions): Promise<ServingSource> {
  const { condition = 'pneumonia', name = 'tiny', kind = 'binary', classes = BINARY } = o
  const folder = join(dir, `${condition}-${name}-v${o.seed}`)
  const graph = graphDescription(o)
  const outputs = kind === 'binary' ? 1 : classes.length
  const bytes = o.graphBytes ?? tinyGraph({ ...o, outputs })
  const model: ModelConfig = {
    schema: 1,
    architecture: 'tiny_cnn',
    kind,
    classes: [...classes],
    graph,
    explanation: o.plain ? null : { layer: 'conv', reason: 'the only one', scale: 0.05 },
    parameters: null,
  }
  await mkdir(join(folder, 'models'), { recursive: true })
  await mkdir(join(folder, 'configs'))
  await mkdir(join(folder, 'results', 'golden'), { recursive: true })
  await writeFile(join(folder, graph.file), bytes)
  await writeFile(join(folder, 'configs/model.json'), JSON.stringify(model))
  await writeFile(join(folder, 'configs/preprocessing.json'), JSON.stringify(PREPROCESSING))
  await writeFile(join(folder, 'README.md'), 'A package for tests.\n')
  if (o.golden) await writeGolden(folder, { o, bytes, model })
  const written = await writeManifest(folder, {
    condition,
    name,
    createdAt: '2026-11-20T12:00:00+00:00',
    architecture: 'tiny_cnn',
    kind,
    classes: [...classes],
    conditionName: 'Pneumonia',
    bodyPart: 'chest',
    notice: null,
    demonstration: false,
    calibration: null,
    operatingPoints: [],
    defaultOperatingPoint: null,
    metrics: null,
    lineage: {},
    tags: [],
  })
  return { id: `${condition}/${name}@${o.seed}`, dir: folder, sha256: written.sha256 }
}

function graphDescription(o: TinyOptions): Graph {
  return {
    file: 'models/tiny.onnx',
    input: { name: 'image', layout: o.layout ?? 'nhwc' },
    outputs: {
      logits: 'logits',
      probabilities: null,
      features: o.plain ? null : 'features',
      gradients: o.plain ? null : 'gradients',
    },
  }
}

async function writeGolden(
  folder: string,
  { o, bytes, model }: { o: TinyOptions; bytes: Uint8Array; model: ModelConfig },
): Promise<void> {
  const session = await createSession(bytes, { threads: 1 })
  const items = []
  for (let index = 0; index < (o.golden ?? 0); index++) {
    const png = await image(1000 + index)
    const file = `results/golden/${index}.png`
    await writeFile(join(folder, file), png)
    const { pixels } = await decodeImage(png, { maxBytes: 1e6, maxPixels: 1e6 })
    const tensor = preprocess(pixels, PREPROCESSING)
    const out = await session.run({ image: { data: tensor, dims: [1, SIDE, SIDE, 1] } })
    const raw = { logits: out.logits?.data ?? null, probabilities: null }
    const { kind, classes } = model
    const found = scores({ kind, classes, raw, calibration: null })
    const probabilities = found.map((one) => one.uncalibrated + (o.goldenError ?? 0))
    items.push({ file, label: null, probabilities })
  }
  await session.release()
  const golden = { schema: 1, tolerance: 1e-4, items }
  await writeFile(join(folder, 'results/golden/golden.json'), JSON.stringify(golden))
}

const HALF = SIDE / 2

/** image -> conv 3x3 stride 2, ReLU (the explained layer, 8 x 8 x 4) -> mean -> linear head. */
function tinyGraph(o: TinyOptions & { readonly outputs: number }): Uint8Array {
  const { seed, outputs } = o
  const head = noise(seed + 1, FEATURES * outputs).map((value) => value * 8)
  const gradients = new Float32Array(outputs * FEATURES)
  for (let k = 0; k < outputs; k++) {
    for (let f = 0; f < FEATURES; f++) {
      gradients[k * FEATURES + f] = (head[f * outputs + k] ?? 0) / (HALF * HALF)
    }
  }
  const float = (dims: number[], data: Float32Array): OnnxTensor => ({
    type: 'float32',
    dims,
    data,
  })
  const node = (op: string, inputs: string[], output: string, attributes = {}): OnnxNode => ({
    op,
    inputs,
    outputs: [output],
    attributes,
  })
  const conv = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }
  const isNchw = o.layout === 'nchw'
  const nodes = [
    isNchw
      ? node('Identity', ['image'], 'nchw')
      : node('Transpose', ['image'], 'nchw', { perm: [0, 3, 1, 2] }),
    node('Conv', ['nchw', 'kernel'], 'convolved', conv),
    node('Relu', ['convolved'], 'rectified'),
    node('Transpose', ['rectified'], 'features', { perm: [0, 2, 3, 1] }),
    node('GlobalAveragePool', ['rectified'], 'pooled'),
    node('Flatten', ['pooled'], 'flat', { axis: 1 }),
    node('MatMul', ['flat', 'head'], 'product'),
    node('Add', ['product', 'bias'], 'logits'),
    node('Identity', ['slopes'], 'gradients'),
  ]
  return encodeModel({
    nodes,
    initializers: new Map([
      ['kernel', float([FEATURES, 1, 3, 3], noise(seed, FEATURES * 9))],
      ['head', float([FEATURES, outputs], head)],
      ['bias', float([outputs], noise(seed + 2, outputs))],
      ['slopes', float([outputs, 1, 1, FEATURES], gradients)],
    ]),
    inputs: [
      {
        name: 'image',
        type: 'float32',
        dims: isNchw ? [1, 1, SIDE, SIDE] : [1, SIDE, SIDE, 1],
      },
    ],
    outputs: [
      { name: 'logits', type: 'float32', dims: [1, outputs] },
      { name: 'features', type: 'float32', dims: [1, HALF, HALF, FEATURES] },
      { name: 'gradients', type: 'float32', dims: [outputs, 1, 1, FEATURES] },
    ],
  })
}
