// Resizing of maps, bilinear and to the nearest, and its gradients. TF.js' three conventions of coordinates are ONNX's own.
import { currentGraph } from '../tracing/current-graph.ts'
import { made, nchw } from '../tracing/layout.ts'
import { at, permuted, TO_NCHW, type Value } from '../tracing/value.ts'
import { cast } from './broadcast.ts'
import { kernel } from './kernel.ts'

interface Convention {
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}
type ResizeAttributes = Convention & { readonly size: readonly [number, number] }

/** Operator: Resize */
function resize(x: Value, attributes: ResizeAttributes, how: Record<string, string>): Value {
  const graph = currentGraph()
  const shape = [at(x.shape, 0), ...attributes.size, at(x.shape, 3)]
  const sizes = graph.integers(permuted(shape, TO_NCHW))
  const name = graph.node('Resize', [nchw(cast(x, 'float32')), '', '', sizes], {
    attributes: { coordinate_transformation_mode: coordinateMode(attributes), ...how },
  })
  return made(name, 'nchw', shape)
}

function coordinateMode({ alignCorners, halfPixelCenters }: Convention): string {
  if (alignCorners) return 'align_corners'
  return halfPixelCenters ? 'half_pixel' : 'asymmetric'
}

kernel<'images', ResizeAttributes>('ResizeBilinear', ({ images }, attributes) =>
  resize(images, attributes, { mode: 'linear' }),
)

// With aligned corners the nearest is rounded (halves up); else it is the cell that the coordinate lies in.
kernel<'images', ResizeAttributes>('ResizeNearestNeighbor', ({ images }, attributes) => {
  const { alignCorners, halfPixelCenters } = attributes
  const rounding = alignCorners || halfPixelCenters ? 'round_prefer_ceil' : 'floor'
  return resize(images, attributes, { mode: 'nearest', nearest_mode: rounding })
})

for (const [name, weigh] of [
  ['ResizeBilinearGrad', bilinearRow],
  ['ResizeNearestNeighborGrad', nearestRow],
] as const) {
  // Operators: MatMul twice. Resizing is linear and separable: y = R x C', so dx = R' dy C.
  kernel<'images' | 'dy', Convention>(name, ({ images, dy }, convention) => {
    const graph = currentGraph()
    const [rows, columns] = [1, 2].map((axis) =>
      matrix({ from: at(images.shape, axis), to: at(dy.shape, axis), convention }, weigh),
    ) as [Float32Array, Float32Array]
    const [height, width] = [at(images.shape, 1), at(images.shape, 2)]
    const [newHeight, newWidth] = [at(dy.shape, 1), at(dy.shape, 2)]
    const left = graph.constant({
      type: 'float32',
      dims: [height, newHeight],
      data: transposed(rows, height),
    })
    const right = graph.constant({ type: 'float32', dims: [newWidth, width], data: columns })
    const wide = graph.node('MatMul', [nchw(dy), right])
    return made(graph.node('MatMul', [left, wide]), 'nchw', images.shape)
  })
}

interface Axis {
  readonly from: number
  readonly to: number
  readonly convention: Convention
}

/** [to, from]: how much each source sample counts for each resized one. */
function matrix(axis: Axis, weigh: typeof bilinearRow): Float32Array {
  const { from, to, convention } = axis
  const weights = new Float32Array(to * from)
  const aligned = convention.alignCorners && to > 1
  const step = aligned ? (from - 1) / (to - 1) : from / to
  for (let i = 0; i < to; i++) {
    weigh(weights.subarray(i * from, (i + 1) * from), { i, step, convention })
  }
  return weights
}

interface Sample {
  readonly i: number
  /** Source samples for each resized one. */
  readonly step: number
  readonly convention: Convention
}

function bilinearRow(row: Float32Array, { i, step, convention }: Sample): void {
  const position = convention.halfPixelCenters ? (i + 0.5) * step - 0.5 : i * step
  const clamped = Math.min(Math.max(position, 0), row.length - 1)
  const low = Math.floor(clamped)
  const high = Math.min(low + 1, row.length - 1)
  row[low] = (row[low] as number) + 1 - (clamped - low)
  row[high] = (row[high] as number) + clamped - low
}

function nearestRow(row: Float32Array, { i, step, convention }: Sample): void {
  const position = convention.halfPixelCenters ? (i + 0.5) * step : i * step
  const nearest = convention.alignCorners ? Math.round(position) : Math.floor(position)
  row[Math.min(nearest, row.length - 1)] = 1
}

/** [to, from] to [from, to] */
function transposed(weights: Float32Array, from: number): Float32Array {
  const to = weights.length / from
  return Float32Array.from(weights, (_, k) => weights[(k % to) * from + Math.floor(k / to)] ?? 0)
}
