// Kernels that look elements up by index, and the gradient of such a look-up.
import { ELEMENT_TYPES } from '../onnx/model.ts'
import { currentGraph } from '../tracing/current-graph.ts'
import { made, nhwc } from '../tracing/layout.ts'
import type { ValueType } from '../tracing/value.ts'
import { cast } from './broadcast.ts'
import { kernel } from './kernel.ts'
import { axesOf } from './reduce.ts'

interface GatherAttributes {
  readonly axis: number
  readonly batchDims?: number
}

// Operator: Gather
kernel<'x' | 'indices', GatherAttributes>('GatherV2', ({ x, indices }, { axis, batchDims }) => {
  if (batchDims) throw new Error('trace: GatherV2 with batch dimensions is not written')
  const [place = 0] = axesOf(axis, x.shape.length)
  const inputs = [nhwc(x), nhwc(cast(indices, 'int32'))]
  const name = currentGraph().node('Gather', inputs, { attributes: { axis: place } })
  return made(name, 'nhwc', x.shape.toSpliced(place, 1, ...indices.shape), x.type)
})

// Operators: Expand, ScatterElements(add). Rows of x added up by segment: the gradient of a look-up.
kernel<'x' | 'segmentIds', { numSegments: number }>(
  'UnsortedSegmentSum',
  ({ x, segmentIds }, { numSegments }) => {
    if (segmentIds.shape.length !== 1) throw new Error('trace: segment ids must be a list')
    const graph = currentGraph()
    const shape = [numSegments, ...x.shape.slice(1)]
    const column = [segmentIds.shape[0] ?? 0, ...x.shape.slice(1).map(() => 1)]
    const ids = graph.node('Reshape', [nhwc(cast(segmentIds, 'int32')), graph.integers(column)])
    const indices = graph.node('Expand', [ids, graph.integers(x.shape)])
    const zeros = graph.node('Expand', [graph.scalar(0), graph.integers(shape)])
    const name = graph.node('ScatterElements', [zeros, indices, nhwc(x)], {
      attributes: { axis: 0, reduction: 'add' },
    })
    return made(name, 'nhwc', shape, x.type)
  },
)

interface OneHotAttributes {
  readonly depth: number
  readonly onValue: number
  readonly offValue: number
  readonly dtype?: ValueType
}

// Operators: Cast, OneHot (which ONNX Runtime has for 64-bit indices)
kernel<'indices', OneHotAttributes>('OneHot', ({ indices }, attributes) => {
  const graph = currentGraph()
  const { depth, onValue, offValue, dtype = 'float32' } = attributes
  const values = graph.initializer('float32', [2], Float32Array.of(offValue, onValue))
  const places = graph.node('Cast', [nhwc(indices)], { attributes: { to: ELEMENT_TYPES.int64 } })
  const name = graph.node('OneHot', [places, graph.integers([depth]), values], {
    attributes: { axis: -1 },
  })
  return cast(made(name, 'nhwc', [...indices.shape, depth]), dtype)
})

// Operator: CumSum
kernel<'x', { axis: number; exclusive: boolean; reverse: boolean }>(
  'Cumsum',
  ({ x }, { axis, exclusive, reverse }) => {
    const graph = currentGraph()
    const [place = 0] = axesOf(axis, x.shape.length)
    const along = graph.initializer('int64', [], BigInt64Array.of(BigInt(place)))
    const name = graph.node('CumSum', [nhwc(x), along], {
      attributes: { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 },
    })
    return made(name, 'nhwc', x.shape, x.type)
  },
)

// Operators: Cast, GatherND
kernel<'params' | 'indices'>('GatherNd', ({ params, indices }) => {
  const graph = currentGraph()
  const depth = indices.shape.at(-1) ?? 0
  const places = graph.node('Cast', [nhwc(indices)], { attributes: { to: ELEMENT_TYPES.int64 } })
  const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)]
  return made(graph.node('GatherND', [nhwc(params), places]), 'nhwc', shape, params.type)
})

// Operators: TopK, Cast
kernel<'x', { k: number; sorted: boolean }>('TopK', ({ x }, { k, sorted }) => {
  const graph = currentGraph()
  const { outputs } = graph.record('TopK', [nhwc(x), graph.integers([k])], {
    attributes: { axis: -1, largest: 1, sorted: sorted ? 1 : 0 },
    outputs: 2,
  })
  const [values = '', places = ''] = outputs
  const shape = x.shape.with(-1, k)
  const indices = graph.node('Cast', [places], { attributes: { to: ELEMENT_TYPES.int32 } })
  return [made(values, 'nhwc', shape, x.type), made(indices, 'nhwc', shape, 'int32')]
})
