// configs/optimizer.json: the optimizer's settings and what it remembers. The numbers themselves are in models/checkpoint,
// together with the weights of the last and of the best epoch.
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readCheckpoint } from '../../loop/checkpoint.ts'
import { WARM_UP_STEPS } from '../../loop/schedule.ts'
import {
  absent,
  DistributionSchema,
  distributionOf,
  SizeSchema,
  sizeOf,
  valueOrReason,
} from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

const FILE = 'models/checkpoint/checkpoint.bin'

const ArraySchema = z.strictObject({
  name: z.string(),
  length: z.int(),
  dtype: z.literal('float32'),
  distribution: valueOrReason(DistributionSchema),
})

export const OptimizerFileSchema = z.strictObject({
  schema: z.literal(2),
  name: z.enum(['adam', 'sgd']),
  config: z.strictObject({
    learningRate: z.number(),
    beta1: valueOrReason(z.number()),
    beta2: valueOrReason(z.number()),
    epsilon: valueOrReason(z.number()),
    momentum: valueOrReason(z.number()),
    /** Decoupled (AdamW), on kernels only. */
    weightDecay: z.number(),
    amsgrad: z.boolean(),
  }),
  schedule: z.strictObject({
    name: z.string(),
    warmUpSteps: z.int(),
    stepsPerEpoch: z.int(),
    /** At the end of the first and of the last epoch. */
    afterFirstEpoch: z.number(),
    afterLastEpoch: z.number(),
  }),
  state: valueOrReason(
    z.strictObject({
      file: z.literal(FILE),
      size: SizeSchema,
      /** Steps done, and the epoch after which it was taken. */
      steps: z.int(),
      epoch: z.int(),
      /** One number for each trained one, in the order of `weights`. */
      slots: z.array(ArraySchema),
      weights: z.array(z.strictObject({ name: z.string(), length: z.int() })),
      layout: z.string(),
    }),
  ),
})

const LAYOUT =
  '4 bytes: length of the header (little endian); header: JSON, padded with spaces to a multiple of 8 bytes with those 4; ' +
  'then float32 values of each entry of its "arrays", in order (groups: weights of the last epoch, best, optimizer); ' +
  'then 4 bytes: CRC-32 of everything before.'
const OF_ADAM = 'Of the optimizer adam only.'
const OF_SGD = 'Of the optimizer sgd only.'

export async function writeOptimizer(c: PackageContext): Promise<void> {
  const { hyperparameters: h, trained } = c
  const isAdam = h.optimizer === 'adam'
  const rates = trained.history.map(({ learningRate }) => learningRate)
  const file: z.infer<typeof OptimizerFileSchema> = {
    schema: 2,
    name: h.optimizer,
    config: {
      learningRate: h.learningRate,
      beta1: isAdam ? 0.9 : absent(OF_ADAM),
      beta2: isAdam ? 0.999 : absent(OF_ADAM),
      epsilon: isAdam ? 1e-7 : absent(OF_ADAM),
      momentum: isAdam ? absent(OF_SGD) : h.momentum,
      weightDecay: h.weightDecay,
      amsgrad: false,
    },
    schedule: {
      name: h.schedule,
      warmUpSteps: WARM_UP_STEPS,
      stepsPerEpoch: trained.steps,
      afterFirstEpoch: rates[0] ?? h.learningRate,
      afterLastEpoch: rates.at(-1) ?? h.learningRate,
    },
    state: await keepState(c),
  }
  await writeFiles(c.dir, { 'configs/optimizer.json': json(file) })
}

/** Takes the last checkpoint of the run into the package. */
async function keepState(c: PackageContext): Promise<z.infer<typeof OptimizerFileSchema>['state']> {
  const from = join(c.job.workDir, 'checkpoint.bin')
  const checkpoint = await readCheckpoint(from).catch(() => undefined)
  if (!checkpoint) return absent('There was no whole checkpoint at the end of the run.')
  await mkdir(join(c.dir, 'models/checkpoint'), { recursive: true })
  await copyFile(from, join(c.dir, FILE))
  const { step, slots } = checkpoint.optimizer
  const values = [...checkpoint.weights.values(), ...checkpoint.bestWeights.values()]
  const count = [...values, ...Object.values(slots)].reduce((sum, { length }) => sum + length, 0)
  return {
    file: FILE,
    size: sizeOf(4 * count),
    steps: step,
    epoch: checkpoint.epoch,
    slots: Object.entries(slots).map(([name, one]) => ({
      name,
      length: one.length,
      dtype: 'float32',
      distribution: one.length > 0 ? distributionOf(one) : absent('It is empty.'),
    })),
    weights: [...checkpoint.weights].map(([name, { length }]) => ({ name, length })),
    layout: LAYOUT,
  }
}
