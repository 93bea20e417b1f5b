// Parts of a tensor by Python's x[key], as models of Keras hold them.
import * as tf from '@tensorflow/tfjs'

type Key =
  | number
  | null
  | '...'
  | { start?: number | null; stop?: number | null; step?: number | null }

/** Python's x[key]; a place of null is a new axis. */
export function sliced(x: tf.Tensor, key: unknown): tf.Tensor {
  const given = (Array.isArray(key) ? key : [key]) as readonly Key[]
  const taken = given.filter((one) => one !== null && one !== '...').length
  const rest = Array.from({ length: x.rank - taken }, (): Key => ({}))
  const dots = given.indexOf('...')
  const keys =
    dots < 0 ? [...given, ...rest] : [...given.slice(0, dots), ...rest, ...given.slice(dots + 1)]
  const shape: number[] = []
  let result = x
  let axis = 0
  for (const one of keys) {
    if (one === null) {
      shape.push(1)
      continue
    }
    const length = x.shape[axis] ?? 1
    if (typeof one === 'number') {
      result = partOf(result, { axis, begin: one < 0 ? one + length : one, size: 1 })
    } else if (one !== '...') {
      result = rangeOf(result, { axis, length, ...one })
      shape.push(result.shape[axis] ?? 1)
    }
    axis += 1
  }
  return tf.reshape(result, shape)
}

function partOf(
  x: tf.Tensor,
  { axis, begin, size }: { axis: number; begin: number; size: number },
): tf.Tensor {
  const from = x.shape.map((_, i) => (i === axis ? begin : 0))
  return tf.slice(
    x,
    from,
    x.shape.map((n, i) => (i === axis ? size : n)),
  )
}

function rangeOf(
  x: tf.Tensor,
  o: {
    axis: number
    length: number
    start?: number | null
    stop?: number | null
    step?: number | null
  },
): tf.Tensor {
  const { axis, length } = o
  const step = o.step ?? 1
  const place = (value: number): number =>
    Math.min(length, Math.max(0, value < 0 ? value + length : value))
  if (step < 0) {
    if (step !== -1 || (o.start ?? null) !== null || (o.stop ?? null) !== null) {
      throw new Error(`a slice with the step ${step} is not read here`)
    }
    return tf.reverse(x, axis)
  }
  const begin = place(o.start ?? 0)
  const end = Math.max(begin, place(o.stop ?? length))
  if (begin === 0 && end === length && step === 1) return x
  const part = partOf(x, { axis, begin, size: end - begin })
  if (step === 1) return part
  const every = Array.from({ length: Math.ceil((end - begin) / step) }, (_, i) => i * step)
  return tf.gather(part, tf.tensor1d(every, 'int32'), axis)
}
