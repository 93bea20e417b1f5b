// Weights of an ONNX file that are no numbers, as a training that diverged leaves them. A graph can hide them: ReLU makes a zero
// of them, and then it answers every image alike.
import { halfFloat } from '../half-float.ts'
import { type ProtoModel, TENSOR, view } from './model-proto.ts'
import type { Field } from './wire.ts'

/** Element types, with the bytes of one and how it is read. */
const FLOATS: Readonly<
  Record<number, readonly [bytes: number, read: (v: DataView, at: number) => number]>
> = {
  1: [4, (v, at) => v.getFloat32(at, true)],
  10: [2, (v, at) => halfFloat(v.getUint16(at, true))],
  11: [8, (v, at) => v.getFloat64(at, true)],
}
/** `double_data` of a tensor; the others are in `TENSOR`. */
const DOUBLES = 10

/** The name of a constant tensor that holds NaN. A single one is no weight: graphs compare with it or fill by it. */
export function findNaN({ constants }: Pick<ProtoModel, 'constants'>): string | undefined {
  for (const [name, tensor] of constants) {
    if (holdsNaN(tensor)) return name
  }
  return undefined
}

function holdsNaN(tensor: readonly Field[]): boolean {
  const type = tensor.find(({ number }) => number === TENSOR.type)?.value ?? 0
  const [bytes, read] = FLOATS[type] ?? []
  if (bytes === undefined || read === undefined) return false
  const held = new Set<number>(type === 1 ? [TENSOR.raw, TENSOR.floats] : [TENSOR.raw, DOUBLES])
  const parts = tensor.filter(({ number }) => held.has(number)).map((one) => view(one.bytes))
  const count = parts.reduce((sum, { byteLength }) => sum + byteLength / bytes, 0)
  if (count < 2) return false
  return parts.some((part) => {
    for (let at = 0; at + bytes <= part.byteLength; at += bytes) {
      if (Number.isNaN(read(part, at))) return true
    }
    return false
  })
}
