// The activation that TF.js fuses into a convolution or a matrix product.
import type { Value } from '../tracing/value.ts'
import { binary, unary } from './broadcast.ts'
import { clip } from './unary.ts'

export interface FusedAttributes {
  readonly activation?: string | null
  readonly leakyreluAlpha?: number
}

/** Operators: Relu, Clip, Sigmoid, Elu, LeakyRelu, PRelu or none. */
export function activate(x: Value, attributes: FusedAttributes, weights?: Value): Value {
  const { activation, leakyreluAlpha } = attributes
  switch (activation) {
    case undefined:
    case null:
    case 'linear':
      return x
    case 'relu':
      return unary('Relu', x)
    case 'relu6':
      return clip(x, 0, 6)
    case 'sigmoid':
      return unary('Sigmoid', x)
    case 'elu':
      return unary('Elu', x)
    case 'leakyrelu':
      return unary('LeakyRelu', x, { alpha: { float: leakyreluAlpha ?? 0.2 } })
    case 'prelu':
      if (weights) return binary('PRelu', x, weights)
      throw new Error('trace: prelu without weights')
    default:
      throw new Error(`trace: the fused activation ${activation} is not written`)
  }
}
