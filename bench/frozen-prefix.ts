// DenseNet121, last 20 layers: a training step of the whole network beside one on kept features, what keeping them costs,
// what that makes of ten epochs, and what float16 does to the losses.
// `node bench/frozen-prefix.ts [batch] [size] [rounds] [threads]`
import { cpus } from 'node:os'
import { getArchitecture } from '../src/architectures/catalogue.ts'
import { trainLastLayers } from '../src/architectures/fine-tuning.ts'
import { createFeatureSession } from '../src/engine/feature-session.ts'
import { findFrozenPrefix } from '../src/engine/frozen-prefix.ts'
import { uniforms } from '../src/engine/random/counter-random.ts'
import { createTrainingStep } from '../src/engine/training-step.ts'
import { alternating, table } from './alternating.ts'

const [batchSize = 16, size = 224, rounds = 3, threads = 2] = process.argv.slice(2).map(Number)
const EPOCHS = 10
const COPIES = 2
const STEPS = 20

const shape = { height: size, width: size, channels: 3, outputs: 2, seed: 1 } as const
const model = getArchitecture('densenet121').build(shape)
trainLastLayers(model, 20)
const prefix = findFrozenPrefix(model)
if (!prefix) throw new Error('no frozen part')

const options = {
  model,
  kind: 'single-label',
  batchSize,
  optimizer: { name: 'adam' },
  threads,
} as const
const timed = async <T>(name: string, make: () => Promise<T>): Promise<T> => {
  const started = performance.now()
  const made = await make()
  console.log(`${name}: created in ${((performance.now() - started) / 1000).toFixed(2)} s`)
  return made
}
const whole = await timed('step of the whole', () => createTrainingStep(options))
const rest = await timed('step on features', () => createTrainingStep({ ...options, prefix }))
const frozen = await timed('frozen part', () =>
  createFeatureSession({ model, prefix, batchSize, threads }),
)

const x = uniforms(batchSize * size * size * 3, 1)
const y = Float32Array.from({ length: batchSize * 2 }, (_, i) => (i + (i >> 1)) % 2)
const sampleWeights = new Float32Array(batchSize).fill(1)
const batch = { x, y, sampleWeights, learningRate: 1e-4, dropoutSeed: 1 }
const features = await frozen.run(x)

const timings = await alternating(
  [
    { name: 'step of the whole network, from images', run: () => whole.run(batch) },
    { name: 'frozen part, once', run: () => frozen.run(x) },
    { name: 'step on kept features', run: () => rest.run({ ...batch, x: features }) },
  ],
  rounds,
)
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, ${threads} threads`)
console.log(table(`batch ${batchSize}, ${size} px`, timings))
const [all = 0, once = 0, kept = 0] = timings.map(({ medianMs }) => medianMs)
const share = (copies: number) => ((copies * once + EPOCHS * kept) / (EPOCHS * all)).toFixed(3)
console.log(`${prefix.size} features an image (${(prefix.size * 4) / 1024} KiB as float32)`)
console.log(
  `${EPOCHS} epochs: ${share(1)} of the time without augmentation, ${share(COPIES)} with ${COPIES} copies`,
)

async function losses(data: Float32Array): Promise<number[]> {
  const step = await createTrainingStep({
    ...options,
    prefix: prefix as NonNullable<typeof prefix>,
  })
  const curve: number[] = []
  for (let i = 0; i < STEPS; i++) curve.push((await step.run({ ...batch, x: data })).loss)
  await step.close()
  return curve
}
const exact = await losses(features)
const half = await losses(Float32Array.from(Float16Array.from(features)))
const furthest = Math.max(...exact.map((loss, i) => Math.abs(loss - (half[i] ?? Number.NaN))))
console.log(
  `float16 features: losses of ${STEPS} steps (${exact[0]?.toFixed(4)} to ${exact.at(-1)?.toFixed(4)}) differ by ${furthest.toExponential(1)} at most`,
)
