// Whether the layers of a topology can be put together at all: TF.js tries for ever when a layer waits for one that is not
// there, or two wait for each other.
import { AppError } from '../errors.ts'

type Config = Readonly<Record<string, unknown>>

interface Waiting {
  readonly name: string
  /** Calls that are still to be made, first to last: the layer and call that each argument comes from. */
  readonly calls: (readonly (readonly [layer: string, call: number])[])[]
}

/**
 * @param model `{class_name, config}` as in a layers model of TF.js, models in models included
 * @throws AppError `invalid-package` naming a layer that waits for ever
 */
export function checkLayerGraph(model: unknown): void {
  const config = objectOf(objectOf(model).config)
  const layers = listOf(config.layers).map(objectOf)
  for (const layer of layers) if (isModel(layer)) checkLayerGraph(layer)
  if (config.input_layers === undefined && config.output_layers === undefined) return
  const made = new Map<string, number>()
  for (const layer of layers) {
    // The making of an input, or of a model, counts as its call 0.
    const isBegun = layer.class_name === 'InputLayer' || isModel(layer)
    made.set(String(layer.name), isBegun ? 1 : 0)
  }
  const waiting = layers.map((layer) => ({ name: String(layer.name), calls: callsOf(layer) }))
  const stuck = lastWaiting(waiting, made)
  if (!stuck) return
  throw new AppError(
    'invalid-package',
    `The layers of this model do not hang together: "${stuck.name.slice(0, 60)}" waits for a layer that never comes.`,
  )
}

function lastWaiting(layers: readonly Waiting[], made: Map<string, number>): Waiting | undefined {
  let left = layers.filter(({ calls }) => calls.length > 0)
  while (left.length > 0) {
    const before = left.reduce((sum, { calls }) => sum + calls.length, 0)
    for (const { name, calls } of left) {
      while (calls[0]?.every(([layer, call]) => call < (made.get(layer) ?? 0))) {
        calls.shift()
        made.set(name, (made.get(name) ?? 0) + 1)
      }
    }
    left = left.filter(({ calls }) => calls.length > 0)
    const after = left.reduce((sum, { calls }) => sum + calls.length, 0)
    if (after === before) return left[0]
  }
  return undefined
}

function callsOf(layer: Config): Waiting['calls'] {
  return listOf(layer.inbound_nodes).map((call) =>
    listOf(call).map((argument) => {
      const [from, index = 0] = listOf(argument)
      return [String(from), Number(index)] as const
    }),
  )
}

function isModel(layer: Config): boolean {
  return ['Functional', 'Model', 'Sequential'].includes(String(layer.class_name))
}

function objectOf(value: unknown): Config {
  return typeof value === 'object' && value !== null ? (value as Config) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
