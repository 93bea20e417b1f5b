// configs/architecture.json and results/model_summary.txt: the network layer by layer, so that it can be built again.
import type * as tf from '@tensorflow/tfjs'
import { z } from 'zod'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

/** `n` is the number of images of a batch, which is free. */
const shape = z.array(z.union([z.int(), z.literal('n')]))
const WeightSchema = z.strictObject({
  name: z.string(),
  shape: z.array(z.int()),
  dtype: z.string(),
  parameters: z.int(),
  trainable: z.boolean(),
})

export const ArchitectureFileSchema = z.strictObject({
  schema: z.literal(2),
  architecture: z.string(),
  title: z.string(),
  purpose: z.string(),
  inputShape: shape,
  outputShape: shape,
  parameters: z.strictObject({
    total: z.int(),
    trainable: z.int(),
    nonTrainable: z.int(),
    bytes: z.int(),
  }),
  layers: z
    .array(
      z.strictObject({
        name: z.string(),
        type: z.string(),
        /** One for each input, where there are several. */
        inputShapes: z.array(shape),
        outputShapes: z.array(shape),
        parameters: z.int(),
        trainable: z.boolean(),
        inputs: z.array(z.string()),
        weights: z.array(WeightSchema),
        /** All that the layer was made with, as TF.js and Keras call it, without what it leaves unset. */
        config: z.record(z.string(), z.unknown()),
      }),
    )
    .min(1),
})
export type ArchitectureFile = z.infer<typeof ArchitectureFileSchema>
type Shape = z.infer<typeof shape>

export async function writeArchitecture(c: PackageContext): Promise<void> {
  const file = describeArchitecture(c)
  await writeFiles(c.dir, {
    'configs/architecture.json': json(file),
    'results/model_summary.txt': modelSummary(file),
  })
}

export function describeArchitecture(c: PackageContext): ArchitectureFile {
  const { model, architecture } = c
  const layers = model.layers.map(describeLayer)
  const total = model.countParams()
  const trainable = layers
    .flatMap(({ weights }) => weights)
    .filter((weight) => weight.trainable)
    .reduce((sum, { parameters }) => sum + parameters, 0)
  return {
    schema: 2,
    architecture: architecture.name,
    title: architecture.title,
    purpose: architecture.purpose,
    inputShape: shapesOf(model.inputs[0]?.shape)[0] ?? [],
    outputShape: shapesOf(model.outputs[0]?.shape)[0] ?? [],
    parameters: { total, trainable, nonTrainable: total - trainable, bytes: 4 * total },
    layers,
  }
}

function describeLayer(layer: tf.layers.Layer): ArchitectureFile['layers'][number] {
  const { name, trainable } = layer
  const trained = new Set(layer.trainableWeights)
  const [use] = layer.inboundNodes
  return {
    name,
    type: layer.getClassName(),
    inputShapes: shapesOf(use?.inputShapes),
    outputShapes: shapesOf(layer.outputShape),
    parameters: layer.countParams(),
    trainable,
    inputs: (use?.inboundLayers ?? []).map((one) => one.name),
    weights: layer.weights.map((weight) => ({
      name: weight.originalName,
      shape: weight.shape.map((side) => side ?? 0),
      dtype: weight.dtype,
      parameters: weight.shape.reduce<number>((size, side) => size * (side ?? 1), 1),
      trainable: trained.has(weight),
    })),
    config: plain(layer.getConfig()) as Record<string, unknown>,
  }
}

/** One shape or several as several. */
function shapesOf(given: unknown): Shape[] {
  if (!Array.isArray(given) || given.length === 0) return []
  const shapes = (Array.isArray(given[0]) ? given : [given]) as (number | null)[][]
  return shapes.map((one) => one.map((side) => side ?? 'n'))
}

/** What is unset is left out; in shapes it is the free number of images. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => (one === null ? 'n' : plain(one)))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, one]) => one !== null && one !== undefined)
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one)]))
}

/** A table as Keras prints it. */
export function modelSummary(file: ArchitectureFile): string {
  const rows = file.layers.map((one) => [
    one.name,
    one.type,
    one.outputShapes.map(words).join(' '),
    one.parameters.toLocaleString('en'),
    one.trainable ? '' : 'frozen',
    one.inputs.join(', '),
  ])
  const all = [['layer', 'type', 'output shape', 'parameters', '', 'from'], ...rows]
  const widths = all[0]?.map((_, k) => Math.max(...all.map((row) => row[k]?.length ?? 0))) ?? []
  const line = (row: readonly string[]): string =>
    row
      .map((cell, k) => (k === 3 ? cell.padStart(widths[k] ?? 0) : cell.padEnd(widths[k] ?? 0)))
      .join('  ')
      .trimEnd()
  const { total, trainable, nonTrainable } = file.parameters
  const count = (value: number): string => value.toLocaleString('en')
  return `${[
    `${file.title} (${file.architecture}), input ${words(file.inputShape)}, output ${words(file.outputShape)}`,
    '',
    ...all.map(line),
    '',
    `Parameters ${count(total)}: trained ${count(trainable)}, not trained ${count(nonTrainable)}`,
  ].join('\n')}\n`
}

function words(shape: Shape): string {
  return `(${shape.join(', ')})`
}
