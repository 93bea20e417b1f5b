// Prediction of one image by any architecture: the whole path from JPEG bytes to calibrated scores and a heatmap PNG, beside
// a bare ONNX Runtime run of the same graph, PyTorch and Keras. `node bench/prediction.ts [architecture] [rounds] [threads]`
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { getArchitecture } from '../src/architectures/catalogue.ts'
import { predictionGraph } from '../src/engine/prediction-graph.ts'
import { uniforms } from '../src/engine/random/counter-random.ts'
import { createSession, type Session } from '../src/engine/session.ts'
import { decodeImage } from '../src/imaging/decode.ts'
import { preprocess } from '../src/imaging/preprocess.ts'
import type { Preprocessing } from '../src/imaging/preprocessing.ts'
import { alternating, type Contender, table } from './alternating.ts'
import { drawn, jpeg, LIMITS } from './diagnosis.ts'
import { Peer } from './peer.ts'

/** Images that are predicted together for the throughput. */
const BATCH = 8
const [name = 'densenet121', ...counts] = process.argv.slice(2)
const [rounds = 15, threads = 2] = counts.map(Number)
const architecture = getArchitecture(name)
const { inputSize: size, explanation } = architecture
const preprocessing: Preprocessing = {
  schema: 1,
  width: size,
  height: size,
  channels: 3,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  ...architecture.preprocessing,
}
const shape = { height: size, width: size, channels: 3 } as const
const model = architecture.build({ ...shape, outputs: 2, seed: 1 })
const options = { lastActivation: 'softmax', explanationLayer: explanation.layer } as const
const plain = predictionGraph(model, { ...options, explain: false }).onnx
const explained = predictionGraph(model, options).onnx
const batched = predictionGraph(model, { ...options, explain: false, batchSize: BATCH }).onnx
model.dispose()

const folder = await mkdtemp(join(tmpdir(), 'roentgen-bench-'))
const file = join(folder, 'plain.onnx')
const exported = join(folder, 'exported.onnx')
await writeFile(file, plain)
const peers = {
  python: await Peer.start('onnxruntime_python.py', [file, String(size), String(threads)]),
  pytorch: await Peer.start('pytorch.py', [name, String(size), String(threads), exported]),
  keras: await Peer.start('keras_tensorflow.py', [name, String(size), String(threads)]),
}
const bare = await createSession(plain, { threads })
const withMaps = await createSession(explained, { threads })
const together = await createSession(batched, { threads })
const theirs = await exportedSession()

/** torchvision's own export of the same architecture, run as ours is. */
async function exportedSession(): Promise<Session | undefined> {
  const bytes = await readFile(exported).catch(() => undefined)
  if (bytes) return createSession(bytes, { threads })
  console.log("skipped torchvision's own ONNX export: there is no file")
  return undefined
}

const bytes = await jpeg()
const { pixels } = await decodeImage(bytes, LIMITS)
const input = { data: preprocess(pixels, preprocessing), dims: [1, size, size, 3] }
const sample = await withMaps.run({ input })
const many = uniforms(BATCH * size * size * 3, 1)
const channelsFirst = { data: input.data, dims: [1, 3, size, size] }

async function wholePath(): Promise<Uint8Array> {
  const decoded = await decodeImage(bytes, LIMITS)
  const data = preprocess(decoded.pixels, preprocessing)
  const results = await withMaps.run({ input: { ...input, data } })
  return drawn(results, { ...decoded.pixels, rule: preprocessing })
}

const contenders: Contender[] = [
  { name: 'bare ONNX Runtime, logits only', run: () => bare.run({ input }) },
  { name: 'with features and gradients for Grad-CAM', run: () => withMaps.run({ input }) },
  {
    name: `${BATCH} images together`,
    run: () => together.run({ input: { data: many, dims: [BATCH, size, size, 3] } }),
  },
  { name: 'JPEG bytes to calibrated scores and heatmap PNG', run: wholePath },
  { name: '  of it: decoding', run: () => decodeImage(bytes, LIMITS) },
  { name: '  of it: preprocessing', run: async () => preprocess(pixels, preprocessing) },
  {
    name: '  of it: scores, Grad-CAM, heatmap PNG',
    run: async () => drawn(sample, { ...pixels, rule: preprocessing }),
  },
]
if (theirs) {
  contenders.push({
    name: "ONNX Runtime on torchvision's own export",
    run: () => theirs.run({ input: channelsFirst }),
  })
}
for (const peer of Object.values(peers)) {
  for (const action of peer?.actions ?? []) {
    contenders.push({ name: `${peer?.version}: ${action}`, run: async () => peer?.ask(action) })
  }
}
const timings = await alternating(contenders, rounds)
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, ${threads} threads, ${rounds} alternating rounds`,
)
console.log(table(`${architecture.title}, ${size} px, one image`, timings))
const perSecond = (i: number, images: number) =>
  ((1000 * images) / (timings[i]?.medianMs ?? Number.NaN)).toFixed(1)
console.log(`images a second: ${perSecond(0, 1)} one by one, ${perSecond(2, BATCH)} by ${BATCH}`)
await Promise.all([bare.release(), together.release(), withMaps.release(), theirs?.release()])
for (const peer of Object.values(peers)) peer?.stop()
await rm(folder, { recursive: true })
