// An ONNX graph whose image or scores are not 32-bit floats, with casts around it so that they are; the graph between stays
// as it is. Outputs that hold no floats (an argmax, a label) are left out.
import type { OnnxNode, OnnxTensor } from '../../engine/onnx/model.ts'
import { addToGraph, keepOutputs, replaceInput } from './amend-graph.ts'
import type { ProtoModel } from './model-proto.ts'
import { DATA_TYPES, type OnnxValue } from './value-info.ts'

const FLOAT = 1
/** Types that a float is rounded for; a cast alone would cut the fraction off. */
const WHOLE = new Set([2, 3, 4, 5, 6, 7, 12, 13])
/** float16, float64, bfloat16. */
const OTHER_FLOATS = new Set([10, 11, 16])
const IMAGE = 'roentgen_image'

export function isWholeNumber(elementType: number): boolean {
  return WHOLE.has(elementType)
}

/** Whether an input of this type can be made of 32-bit floats. */
export function isCastable(elementType: number): boolean {
  return elementType === FLOAT || WHOLE.has(elementType) || OTHER_FLOATS.has(elementType)
}

/** @param dims of the image, whole. @returns the graph and the name of its input */
export function floatInput(
  onnx: Uint8Array,
  { input, dims }: { input: OnnxValue; dims: readonly number[] },
): { onnx: Uint8Array; name: string } {
  if (input.elementType === FLOAT) return { onnx, name: input.name }
  const constants = new Map<string, OnnxTensor>()
  const nodes: OnnxNode[] = []
  let at = IMAGE
  if (WHOLE.has(input.elementType)) {
    const half = { type: 'float32', dims: [], data: Float32Array.of(0.5) } as const
    constants.set(`${IMAGE}_half`, half)
    nodes.push(
      { op: 'Add', inputs: [IMAGE, `${IMAGE}_half`], outputs: [`${IMAGE}_more`], attributes: {} },
      { op: 'Floor', inputs: [`${IMAGE}_more`], outputs: [`${IMAGE}_whole`], attributes: {} },
    )
    at = `${IMAGE}_whole`
  }
  nodes.push(castNode({ from: at, to: input.name, type: input.elementType }))
  const changed = replaceInput(onnx, {
    replaces: input.name,
    name: IMAGE,
    dims,
    nodes,
    constants,
  })
  return { onnx: changed, name: IMAGE }
}

export interface FloatOutputs {
  readonly onnx: Uint8Array
  /** Those that are floats, under the names that give 32-bit floats. */
  readonly outputs: readonly (OnnxValue & { readonly madeFrom: string })[]
  /** The others, as `name (int64)`. */
  readonly ignored: readonly string[]
}

export function floatOutputs(
  onnx: Uint8Array,
  { outputs: given }: Pick<ProtoModel, 'outputs'>,
): FloatOutputs {
  const isFloat = ({ elementType }: OnnxValue): boolean =>
    elementType === FLOAT || elementType === 0 || OTHER_FLOATS.has(elementType)
  const floats = given.filter(isFloat)
  const ignored = given
    .filter((one) => !isFloat(one))
    .map(({ name, elementType }) => `${name} (${DATA_TYPES[elementType] ?? 'no tensor'})`)
  const casts = floats.filter(({ elementType }) => OTHER_FLOATS.has(elementType))
  const outputs = floats.map((one) =>
    casts.includes(one)
      ? { ...one, name: floatName(one.name), elementType: FLOAT, madeFrom: one.name }
      : { ...one, madeFrom: one.name },
  )
  if (casts.length === 0 && ignored.length === 0) return { onnx, outputs, ignored }
  const withCasts = addToGraph(onnx, {
    nodes: casts.map(({ name }) => castNode({ from: name, to: floatName(name), type: FLOAT })),
    constants: new Map(),
    outputs: casts.map(({ name, dims }) => ({
      name: floatName(name),
      dims: dims.map((n) => n ?? -1),
    })),
  })
  const kept = new Set(outputs.map(({ name }) => name))
  return { onnx: keepOutputs(withCasts, kept), outputs, ignored }
}

function floatName(name: string): string {
  return `${name}_float32`
}

function castNode({ from, to, type }: { from: string; to: string; type: number }): OnnxNode {
  return { op: 'Cast', inputs: [from], outputs: [to], attributes: { to: type } }
}
