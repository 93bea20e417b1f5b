// x64 processors without VNNI instructions add pairs of 8-bit products in sixteen bits, where large ones overflow: the sums of
// an int8 graph would be wrong without a word. One product of the largest numbers tells whether this processor does so.
import { encodeModel, type OnnxTensor } from '../onnx/model.ts'

const ROWS = 8
const TERMS = 64
const COLUMNS = 16
const [LARGEST, WEIGHT] = [255, 127]

const weights: OnnxTensor = {
  type: 'int8',
  dims: [TERMS, COLUMNS],
  data: new Int8Array(TERMS * COLUMNS).fill(WEIGHT),
}

/** A graph, what goes into it, and what comes out of it where nothing overflows. */
export const overflowProbe = {
  onnx: encodeModel({
    nodes: [{ op: 'MatMulInteger', inputs: ['x', 'w'], outputs: ['y'], attributes: {} }],
    initializers: new Map([['w', weights]]),
    inputs: [{ name: 'x', type: 'uint8', dims: [ROWS, TERMS] }],
    outputs: [{ name: 'y', type: 'int32', dims: [ROWS, COLUMNS] }],
  }),
  x: { data: new Uint8Array(ROWS * TERMS).fill(LARGEST), dims: [ROWS, TERMS] },
  sum: TERMS * LARGEST * WEIGHT,
} as const

/** Whether a file holds operators on integers that such sums are made for. */
export function isQuantised(onnx: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = onnx
  return Buffer.from(buffer, byteOffset, byteLength).includes('DequantizeLinear')
}
