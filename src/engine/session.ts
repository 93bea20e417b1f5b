// The only importer of onnxruntime-node: bytes of a graph to a session. Imports no TF.js, so a model host stays small.
// `run` and `createSession` block the event loop for their whole length: call them in a child process only.
import * as ort from 'onnxruntime-node'
import { AppError, messageOf } from '../errors.ts'
import { externalDataSentence, findExternalData } from './onnx/external-data.ts'
import { isQuantised, overflowProbe } from './quantisation/overflow-probe.ts'

/** Another version may add in another order: the last bits of its results may differ. */
export const ONNX_RUNTIME_VERSION: string = ort.env.versions.node ?? 'unknown'

export interface TensorValue {
  readonly data: Float32Array
  readonly dims: readonly number[]
}

export interface Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** Runs the whole graph. Outputs are the caller's own: a later run does not overwrite them. */
  run(feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>>
  /** Frees the native memory; a second call does nothing. */
  release(): Promise<void>
}

export interface SessionOptions {
  /** Threads within one operator. */
  readonly threads: number
  /** A training step: weights are inputs, so memory patterns only cost memory (755 against 1065 MB measured). */
  readonly training?: boolean
  /**
   * `all` (the default) fuses convolutions with what follows and blocks their layout, which needs constant weights. Where
   * weights are inputs it only costs time: a whole DenseNet121 step is created in 2.1 instead of 3.3 s and runs faster with `basic`.
   */
  readonly optimization?: 'basic' | 'all'
}

/**
 * Loads an ONNX model from memory. No session spins: several hosts and a training share the same cores, and a thread
 * that waits busily for its next operator takes them from the others (with spinning the same graph took 1.7 or 4.5 s
 * by chance on two cores).
 * @throws AppError `load-failed`
 */
export async function createSession(bytes: Uint8Array, options: SessionOptions): Promise<Session> {
  refuseOtherFiles(bytes)
  try {
    const exactSums = isQuantised(bytes) && (await sumsOverflow())
    const native = await ort.InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: options.optimization ?? 'all',
      enableMemPattern: !options.training,
      logSeverityLevel: 3,
      extra: {
        session: {
          intra_op: { allow_spinning: '0' },
          ...(exactSums && { x64quantprecision: '1' }),
        },
      },
    })
    return wrap(native)
  } catch (error) {
    throw new AppError('load-failed', 'The ONNX graph could not be loaded by ONNX Runtime.', {
      cause: new Error(messageOf(error), { cause: error }),
    })
  }
}

/** ONNX Runtime reads a file that a tensor names, from wherever the process runs. The flat format of its own is not searched. */
function refuseOtherFiles(bytes: Uint8Array): void {
  let place: string | undefined
  try {
    if (isOrtFormat(bytes)) throw new Error('a model in the ORT format')
    place = findExternalData(bytes)
  } catch (error) {
    throw new AppError('load-failed', 'The ONNX graph could not be loaded by ONNX Runtime.', {
      cause: new Error(messageOf(error), { cause: error }),
    })
  }
  if (place !== undefined) throw new AppError('load-failed', externalDataSentence(place))
}

function isOrtFormat(bytes: Uint8Array): boolean {
  return (
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.length)).toString('latin1', 4) ===
    'ORTM'
  )
}

let overflows: Promise<boolean> | undefined

/**
 * Whether 8-bit sums overflow on this processor unless ONNX Runtime is told to take the slower, exact way; on one where they
 * do not, that way would only cost time (DenseNet121 in int8: 25 instead of 13 ms).
 */
export function sumsOverflow(): Promise<boolean> {
  overflows ??= probeOverflow()
  return overflows
}

async function probeOverflow(): Promise<boolean> {
  const { onnx, x, sum } = overflowProbe
  const native = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1 })
  const { y } = await native.run({ x: new ort.Tensor('uint8', x.data, x.dims) })
  await native.release()
  return Array.from((y?.data ?? []) as Int32Array).some((value) => value !== sum)
}

function wrap(native: ort.InferenceSession): Session {
  let released = false
  return {
    inputNames: native.inputNames,
    outputNames: native.outputNames,
    async run(feeds) {
      const tensors = Object.entries(feeds).map(
        ([name, { data, dims }]) => [name, new ort.Tensor('float32', data, dims)] as const,
      )
      const results = await native.run(Object.fromEntries(tensors))
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, floats(name, tensor)]),
      )
    },
    async release() {
      if (released) return
      released = true
      await native.release()
    },
  }
}

function floats(name: string, tensor: ort.Tensor): TensorValue {
  if (tensor.data instanceof Float32Array) return { data: tensor.data, dims: tensor.dims }
  throw new AppError('load-failed', `The graph's output "${name}" is not a list of 32-bit floats.`)
}
