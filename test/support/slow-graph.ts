// A small graph that takes its time to load: ONNX Runtime multiplies its constant matrices when the session is made.
import { encodeModel, type OnnxNode, type OnnxTensor } from '../../src/engine/onnx/model.ts'
import { noise, SIDE } from '../inference/tiny-package.ts'

const WIDTH = 512

/** Takes the image of the tiny packages and gives one logit; `products` large ones are made while it loads. */
export function slowGraph({ seed, products }: { seed: number; products: number }): Uint8Array {
  const float = (dims: number[], data: Float32Array): OnnxTensor => ({
    type: 'float32',
    dims,
    data,
  })
  const node = (op: string, inputs: string[], output: string, attributes = {}): OnnxNode => ({
    op,
    inputs,
    outputs: [output],
    attributes,
  })
  const pixels = SIDE * SIDE
  const matrix = noise(seed, WIDTH * WIDTH).map((value) => value / Math.sqrt(WIDTH))
  const chain = Array.from({ length: products }, (_, i) =>
    node('MatMul', [i === 0 ? 'matrix' : `power${i - 1}`, 'matrix'], `power${i}`),
  )
  const nodes = [
    node('Flatten', ['image'], 'flat', { axis: 1 }),
    node('MatMul', ['flat', 'in'], 'wide'),
    ...chain,
    node('MatMul', ['wide', `power${products - 1}`], 'mixed'),
    node('MatMul', ['mixed', 'out'], 'logits'),
  ]
  return encodeModel({
    nodes,
    initializers: new Map([
      ['in', float([pixels, WIDTH], noise(seed + 1, pixels * WIDTH))],
      ['matrix', float([WIDTH, WIDTH], matrix)],
      ['out', float([WIDTH, 1], noise(seed + 2, WIDTH))],
    ]),
    inputs: [{ name: 'image', type: 'float32', dims: [1, SIDE, SIDE, 1] }],
    outputs: [{ name: 'logits', type: 'float32', dims: [1, 1] }],
  })
}
