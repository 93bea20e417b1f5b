// A model without models inside it: their layers stand among the others. Keras 3 reads the whole-model .h5 of Keras 2 but
// counts the calls of a nested model otherwise, so that a nested one loads in one of the two only; a flat one loads in both.
import {
  type Call,
  type KerasLayer,
  type KerasModel,
  type Reference,
  unwritable,
} from './keras-model.ts'

/** @returns the model itself when it is flat already */
export function flattenModel(model: KerasModel): KerasModel {
  if (!model.layers.some((layer) => layer.model)) return model
  const flat = new FlatLayers()
  const inputs = inputsOf(model).map((layer) => flat.input(layer))
  const outputs = flat.inline(model, { inputs, prefix: '' })
  return { className: 'Functional', name: model.name, layers: flat.layers(), inputs, outputs }
}

/** In the order of the model's inputs. */
function inputsOf(model: KerasModel): readonly KerasLayer[] {
  const names = model.inputs.map(([name]) => name)
  const inputs = model.layers.filter(({ className }) => className === 'InputLayer')
  if (names.length === 0) return inputs.slice(0, 1)
  return names.flatMap((name) => inputs.filter((one) => one.name === name))
}

interface Placed {
  readonly layer: KerasLayer
  readonly calls: Call[]
}

class FlatLayers {
  /** By the layer itself: one that is called from several places stays one. */
  readonly #placed = new Map<KerasLayer, Placed>()
  readonly #names = new Set<string>()

  input(layer: KerasLayer): Reference {
    return [this.#place(layer, '').layer.name, 0, 0]
  }

  layers(): readonly KerasLayer[] {
    return [...this.#placed.values()].map(({ layer, calls }) => ({ ...layer, calls }))
  }

  /** Adds the calls of a model's layers, and gives what it puts out. */
  inline(
    model: KerasModel,
    o: { readonly inputs: readonly Reference[]; readonly prefix: string },
  ): readonly Reference[] {
    return model.className === 'Sequential' ? this.#chain(model, o) : this.#graph(model, o)
  }

  #chain(
    model: KerasModel,
    { inputs, prefix }: { readonly inputs: readonly Reference[]; readonly prefix: string },
  ): readonly Reference[] {
    let at = inputs
    for (const layer of model.layers) {
      if (layer.className !== 'InputLayer') at = this.#call(layer, { args: at, prefix })
    }
    return at
  }

  #graph(
    model: KerasModel,
    { inputs, prefix }: { readonly inputs: readonly Reference[]; readonly prefix: string },
  ): readonly Reference[] {
    const made = new Map<string, Reference>()
    for (const [i, layer] of inputsOf(model).entries()) {
      const given = inputs[i]
      if (given) made.set(keyOf([layer.name, 0, 0]), given)
    }
    const waiting = model.layers.flatMap((layer) =>
      layer.calls.map((call, index) => ({ layer, call, index })),
    )
    while (waiting.length > 0) {
      const next = waiting.findIndex(
        ({ call, layer, index }) =>
          call.flat().length > 0 &&
          referencesOf(call).every((one) => made.has(keyOf(one))) &&
          !waiting.some((other) => other.layer === layer && other.index < index),
      )
      const [ready] = next < 0 ? [] : waiting.splice(next, 1)
      if (!ready) throw unwritable(`The layers of "${model.name}" do not hang together.`)
      const { layer, call, index } = ready
      const args = call.map((argument) =>
        isReference(argument)
          ? (made.get(keyOf(argument)) as Reference)
          : argument.map((one) => made.get(keyOf(one)) as Reference),
      )
      // The making of a nested model counts as its call 0.
      const node = layer.model ? index + 1 : index
      for (const [tensor, output] of this.#call(layer, { args, prefix }).entries()) {
        made.set(keyOf([layer.name, node, tensor]), output)
      }
    }
    return model.outputs.map((output) => made.get(keyOf(output)) as Reference)
  }

  #call(
    layer: KerasLayer,
    { args, prefix }: { readonly args: Call; readonly prefix: string },
  ): readonly Reference[] {
    if (layer.model) {
      return this.inline(layer.model, {
        inputs: referencesOf(args),
        prefix: `${prefix}${layer.name}_`,
      })
    }
    const { layer: placed, calls } = this.#place(layer, prefix)
    calls.push(args)
    return [[placed.name, calls.length - 1, 0]]
  }

  #place(layer: KerasLayer, prefix: string): Placed {
    const known = this.#placed.get(layer)
    if (known) return known
    let name = layer.name
    if (this.#names.has(name)) name = `${prefix}${layer.name}`
    for (let n = 1; this.#names.has(name); n++) name = `${prefix}${layer.name}_${n}`
    this.#names.add(name)
    const placed = { layer: { ...layer, name, config: { ...layer.config, name } }, calls: [] }
    this.#placed.set(layer, placed)
    return placed
  }
}

function isReference(argument: Reference | readonly Reference[]): argument is Reference {
  return typeof argument[0] === 'string'
}

function referencesOf(call: Call): readonly Reference[] {
  return call.flatMap((argument) => (isReference(argument) ? [argument] : argument))
}

function keyOf([layer, node, tensor]: Reference): string {
  return `${layer}/${node}/${tensor}`
}
