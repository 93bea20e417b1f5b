// Batch normalisation with given mean and variance, and local response normalisation. Statistics of a batch and their gradient: ../training/batch-norm.ts.
import { currentGraph } from '../tracing/current-graph.ts'
import { made, nchw, nhwc } from '../tracing/layout.ts'
import { at, constant, type Value } from '../tracing/value.ts'
import { binary, unary } from './broadcast.ts'
import { kernel } from './kernel.ts'

// Operator: BatchNormalization for one mean a channel, else Sub, Sqrt, Div, Mul, Add
kernel<'x' | 'scale' | 'offset' | 'mean' | 'variance', { varianceEpsilon: number }>(
  'FusedBatchNorm',
  ({ x, scale, offset, mean, variance }, { varianceEpsilon }) => {
    const ofChannels = (value: Value | undefined, otherwise: number): Value =>
      value ??
      constant(new Array<number>(at(x.shape, -1)).fill(otherwise), [at(x.shape, -1)], 'float32')
    if (mean.shape.length === 1 && x.shape.length === 4) {
      const inputs = [ofChannels(scale, 1), ofChannels(offset, 0), mean, variance].map(nhwc)
      const name = currentGraph().node('BatchNormalization', [nchw(x), ...inputs], {
        attributes: { epsilon: { float: varianceEpsilon } },
      })
      return made(name, 'nchw', x.shape)
    }
    const epsilon = constant([varianceEpsilon], [], 'float32')
    const deviation = unary('Sqrt', binary('Add', variance, epsilon))
    const standard = binary('Div', binary('Sub', x, mean), deviation)
    const scaled = scale ? binary('Mul', standard, scale) : standard
    return offset ? binary('Add', scaled, offset) : scaled
  },
)

interface LrnAttributes {
  readonly depthRadius: number
  readonly bias: number
  readonly alpha: number
  readonly beta: number
}

// Operator: LRN (ONNX divides alpha by the window's size, TF.js does not). Krizhevsky et al. 2012
kernel<'x', LrnAttributes>('LRN', ({ x }, { depthRadius, bias, alpha, beta }) => {
  const size = 2 * depthRadius + 1
  const name = currentGraph().node('LRN', [nchw(x)], {
    attributes: {
      size,
      alpha: { float: alpha * size },
      beta: { float: beta },
      bias: { float: bias },
    },
  })
  return made(name, 'nchw', x.shape)
})
