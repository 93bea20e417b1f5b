// Records a TF.js function as an ONNX graph: inputs become graph inputs, constants and weights initializers.
import * as tf from '@tensorflow/tfjs'
import { AppError, messageOf } from '../../errors.ts'
import '../quiet-tfjs.ts'
import '../kernels/binary.ts'
import '../kernels/unary.ts'
import '../kernels/reduce.ts'
import '../kernels/matmul.ts'
import '../kernels/shape.ts'
import '../kernels/slice.ts'
import '../kernels/blocks.ts'
import '../kernels/resize.ts'
import '../kernels/gather.ts'
import '../kernels/convolution.ts'
import '../kernels/convolution-gradients.ts'
import '../kernels/pooling.ts'
import '../kernels/normalization.ts'
import { GraphRecorder } from '../onnx/graph-recorder.ts'
import type { OnnxGraph } from '../onnx/model.ts'
import { currentGraph, recordInto } from './current-graph.ts'
import { made, nhwc } from './layout.ts'
import { refuseRandomOps } from './random-ops.ts'
import { TRACE_BACKEND, tensorOfValue, valueOfTensor } from './trace-backend.ts'
import type { ValueType } from './value.ts'

export interface InputSpec {
  readonly shape: readonly number[]
  readonly type?: ValueType
}

/** Tensors that outlive the scopes of TF.js, but not the trace: they would hold on to its whole graph. */
const kept: tf.Tensor[] = []

/** Like `tf.keep`, until the end of the trace. */
export function keepWhileTracing<T extends tf.Tensor>(tensor: T): T {
  kept.push(tf.keep(tensor))
  return tensor
}

type Tensors = Readonly<Record<string, tf.Tensor>>

/**
 * Records `fn`, which gets a tensor for each input and returns one for each output. Shapes are fixed: another batch size is
 * another trace. Control flow is unrolled; reading the numbers of a traced tensor throws, and so does a random op
 * (by its name), because what it drew while tracing would be in the graph for ever.
 * @throws AppError `invalid-package` that names an operation without a kernel
 */
export function trace(
  inputs: Readonly<Record<string, InputSpec>>,
  fn: (inputs: Tensors) => Tensors,
): OnnxGraph {
  const graph = new GraphRecorder()
  const before = tf.getBackend()
  const allowRandomOps = refuseRandomOps()
  tf.setBackend(TRACE_BACKEND)
  try {
    recordInto(graph, () => tf.tidy(() => record(graph, inputs, fn)))
  } catch (error) {
    throw asRefusal(error)
  } finally {
    for (const tensor of kept.splice(0)) tensor.dispose()
    allowRandomOps()
    tf.setBackend(before)
  }
  return graph.finish()
}

/** An operation without a kernel here is the model's fault, not ours: it is named. */
function asRefusal(error: unknown): unknown {
  const [, name] = /Kernel '(\w+)' not registered/.exec(messageOf(error)) ?? []
  if (!name) return error
  return new AppError(
    'invalid-package',
    `The model uses the operation ${name}, for which there is no ONNX form here.`,
    { cause: error },
  )
}

/** A further input that is found to be needed while recording. */
export function addInput(name: string, shape: readonly number[]): tf.Tensor {
  currentGraph().input({ name, type: 'float32', dims: shape })
  return tensorOfValue(made(name, 'nhwc', shape))
}

function record(
  graph: GraphRecorder,
  inputs: Readonly<Record<string, InputSpec>>,
  fn: (inputs: Tensors) => Tensors,
): void {
  const tensors: Record<string, tf.Tensor> = {}
  for (const [name, { shape, type = 'float32' }] of Object.entries(inputs)) {
    graph.input({ name, type, dims: shape })
    tensors[name] = tensorOfValue(made(name, 'nhwc', shape, type))
  }
  for (const [name, tensor] of Object.entries(fn(tensors))) {
    const value = valueOfTensor(tensor)
    graph.output({ name, type: value.type, dims: value.shape }, nhwc(value))
  }
}
