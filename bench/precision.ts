// Prediction of one image in float32 and in int8, of the same weights: time, size and how far the logits move.
// `node bench/precision.ts [architecture] [rounds] [threads]`
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { getArchitecture } from '../src/architectures/catalogue.ts'
import { encodeModel } from '../src/engine/onnx/model.ts'
import { predictionTrace } from '../src/engine/prediction-graph.ts'
import { quantisePrediction } from '../src/engine/quantisation/quantise-prediction.ts'
import { createSession } from '../src/engine/session.ts'
import { alternating, table } from './alternating.ts'

const [name = 'densenet121', ...counts] = process.argv.slice(2)
const [rounds = 15, threads = 2] = counts.map(Number)
const architecture = getArchitecture(name)
const { inputSize: size, explanation } = architecture
const shape = { height: size, width: size, channels: 3 } as const
const model = architecture.build({ ...shape, outputs: 2, seed: 1 })
const { nodes } = predictionTrace(model, {
  lastActivation: 'softmax',
  explanationLayer: explanation.layer,
})
model.dispose()

/** Smooth blobs rather than noise: activations of an untrained network then lie where those of pictures do. */
function picture(seed: number): Float32Array {
  return Float32Array.from({ length: size * size * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % size, Math.floor(at / 3 / size)]
    return Math.sin((x * (seed + 1)) / 23 + seed) * Math.cos((y * (seed + 2)) / 31)
  })
}

/** What the processor has for sums of products of eight bits; null where that cannot be read. */
async function integerInstructions(): Promise<string | null> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const flags = new Set(/^flags\s*:(.*)$/m.exec(text)?.[1]?.trim().split(' '))
  if (flags.size === 0) return null
  const found = ['avx_vnni', 'avx512_vnni', 'amx_int8'].filter((flag) => flags.has(flag))
  return found.length > 0 ? found.join(', ') : 'no VNNI'
}

const started = performance.now()
const images = Array.from({ length: 8 }, (_, seed) => picture(seed))
const quantised = await quantisePrediction({ nodes, images, threads })
if (!quantised) throw new Error(`nothing of ${name} has a form in int8`)
const seconds = (performance.now() - started) / 1000
const float = encodeModel(nodes)
const sessions = {
  float32: await createSession(float, { threads }),
  int8: await createSession(quantised.onnx, { threads }),
}
const input = { data: picture(99), dims: [1, size, size, 3] }
const timings = await alternating(
  [
    { name: 'float32', run: () => sessions.float32.run({ input }) },
    { name: 'int8', run: () => sessions.int8.run({ input }) },
  ],
  rounds,
)
const instructions = (await integerInstructions()) ?? 'instructions unknown'
console.log(
  `${cpus()[0]?.model} (${instructions}), ${cpus().length} cores, ${threads} threads, ${rounds} alternating rounds`,
)
console.log(table(`${architecture.title}, ${size} px, one image with its explanation`, timings))
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
console.log(
  `size ${megabytes(float.length)} and ${megabytes(quantised.onnx.length)}; ${quantised.operators} operators in int8; made in ${seconds.toFixed(1)} s`,
)
const { widest, average } = quantised.differences
console.log(
  `logits differ by ${widest.toFixed(4)} (widest ranges) or ${average.toFixed(4)} (average ones), root mean square; ${quantised.rule} taken`,
)
await Promise.all([sessions.float32.release(), sessions.int8.release()])
