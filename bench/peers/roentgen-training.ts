// Roentgen's own training step as a process that is asked for one step at a time, so that its peak memory is its own.
// Arguments: network, size, batch, threads.
import { createInterface } from 'node:readline'
import { uniforms } from '../../src/engine/random/counter-random.ts'
import { createTrainingStep } from '../../src/engine/training-step.ts'
import { networkFor } from '../training/networks.ts'

const [what = 'custom_cnn', ...numbers] = process.argv.slice(2)
const [size = 224, batchSize = 32, threads = 2] = numbers.map(Number)
const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`)

const model = networkFor(what, size)
const started = performance.now()
const options = { kind: 'single-label', optimizer: { name: 'adam' } } as const
const step = await createTrainingStep({ model, batchSize, threads, ...options })
const createdMs = performance.now() - started
const batch = {
  x: uniforms(batchSize * size * size * 3, 1),
  y: Float32Array.from({ length: batchSize * 2 }, (_, i) => (i + (i >> 1)) % 2),
  sampleWeights: new Float32Array(batchSize).fill(1),
  learningRate: 1e-4,
  dropoutSeed: 1,
}
await step.run(batch)
say({ version: `Roentgen (session made in ${(createdMs / 1000).toFixed(1)} s)`, actions: ['step'] })
for await (const _ of createInterface({ input: process.stdin })) {
  await step.run(batch)
  say({ done: true, peakMiB: process.resourceUsage().maxRSS / 1024 })
}
