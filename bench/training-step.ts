// Training steps: how long the session of a whole DenseNet121 takes to create, and a step of it, of its last layers and of
// a small CNN. `node bench/training-step.ts [batch] [size] [rounds] [threads]`
import { cpus } from 'node:os'
import type * as tf from '@tensorflow/tfjs'
import { uniforms } from '../src/engine/counter-random.ts'
import { createTrainingStep } from '../src/engine/training-step.ts'
import { getArchitecture } from '../src/training/architectures/catalogue.ts'
import { trainLastLayers } from '../src/training/architectures/fine-tuning.ts'
import { alternating, table } from './alternating.ts'

const [batchSize = 8, size = 224, rounds = 3, threads = 2] = process.argv.slice(2).map(Number)

async function stepOf(name: string, model: tf.LayersModel) {
  const started = performance.now()
  const optimizer = { name: 'adam' } as const
  const step = await createTrainingStep({
    model,
    kind: 'single-label',
    batchSize,
    optimizer,
    threads,
  })
  console.log(
    `${name}: traced and loaded in ${((performance.now() - started) / 1000).toFixed(2)} s`,
  )
  const x = uniforms(batchSize * size * size * 3, 1)
  const y = Float32Array.from({ length: batchSize * 2 }, (_, i) => (i + (i >> 1)) % 2)
  const sampleWeights = new Float32Array(batchSize).fill(1)
  const batch = { x, y, sampleWeights, learningRate: 1e-4, dropoutSeed: 1 }
  return { name, run: () => step.run(batch) }
}

const options = { height: size, width: size, channels: 3, outputs: 2, seed: 1 } as const
const build = (name: string) => getArchitecture(name).build(options)
const whole = build('densenet121')
const last = build('densenet121')
trainLastLayers(last, 20)
const custom = build('custom_cnn')
const contenders = [
  await stepOf('custom_cnn, all layers', custom),
  await stepOf('DenseNet121, last 20 layers', last),
  await stepOf('DenseNet121, all layers', whole),
]
const timings = await alternating(contenders, rounds)
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, ${threads} threads`)
console.log(table(`one step, batch ${batchSize}, ${size} px`, timings))
console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`)
