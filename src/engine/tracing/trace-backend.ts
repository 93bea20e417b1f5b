// The TF.js backend `trace`: it stores values instead of numbers. Kernels (../kernels) append ONNX nodes; nothing computes.
import * as tf from '@tensorflow/tfjs'
import { constant, type Value, type ValueType } from './value.ts'

export const TRACE_BACKEND = 'trace'

interface Entry {
  value: Value
  references: number
}

type DataId = tf.DataId

/** Keeps what TF.js calls data: here a traced value for each data id, counted as TF.js counts references. */
class TraceBackend extends tf.KernelBackend {
  readonly #entries = new tf.DataStorage<Entry>(this, tf.engine())

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): DataId {
    const id = {}
    this.move(id, values, shape, dtype, 1)
    return id
  }

  /** Weights made on another backend come in here as constants. */
  override move(
    id: DataId,
    values: tf.BackendValues | null | undefined,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    if (!values) throw new Error('trace: a tensor without values')
    const value = constant(values as ArrayLike<number>, shape, valueType(dtype))
    this.#entries.set(id, { value, references })
  }

  add(value: Value): tf.TensorInfo {
    const dataId = {}
    this.#entries.set(dataId, { value, references: 1 })
    return { dataId, shape: [...value.shape], dtype: value.type }
  }

  lookUp(id: DataId): Value {
    return this.#entries.get(id).value
  }

  /** Replaces what a data id stands for and returns what it was, so that a variable can stand for a graph input. */
  replace(id: DataId, value: Value): Value {
    const entry = this.#entries.get(id)
    const before = entry.value
    entry.value = value
    return before
  }

  override readSync(id: DataId): tf.BackendValues {
    const { data } = this.lookUp(id)
    if (data) return data
    throw new Error('trace: the numbers of a traced value are not known while tracing (dataSync)')
  }

  override async read(id: DataId): Promise<tf.BackendValues> {
    return this.readSync(id)
  }

  override refCount(id: DataId): number {
    return this.#entries.has(id) ? this.#entries.get(id).references : 0
  }

  override incRef(id: DataId): void {
    this.#entries.get(id).references += 1
  }

  decRef(id: DataId): void {
    if (this.#entries.has(id)) this.#entries.get(id).references -= 1
  }

  override disposeData(id: DataId, force = false): boolean {
    if (!this.#entries.has(id)) return true
    this.decRef(id)
    if (!force && this.#entries.get(id).references > 0) return false
    this.#entries.delete(id)
    return true
  }

  override numDataIds(): number {
    return this.#entries.numDataIds()
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true }
  }

  override timerAvailable(): boolean {
    return false
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override epsilon(): number {
    return 1e-7
  }

  override dispose(): void {}
}

function valueType(dtype: tf.DataType): ValueType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype
  throw new Error(`trace: tensors of ${dtype} cannot be traced`)
}

export const traceBackend = new TraceBackend()
tf.registerBackend(TRACE_BACKEND, () => traceBackend, 0)

/** The traced value of a tensor. A tensor of another backend is brought over as a constant. */
export function valueOfTensor(tensor: tf.TensorInfo): Value {
  return traceBackend.lookUp(tensor.dataId)
}

/** A tensor that stands for a traced value. */
export function tensorOfValue(value: Value): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(traceBackend.add(value))
}
