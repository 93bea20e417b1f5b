// Convolution kernels, in NCHW. Their gradients are in convolution-gradients.ts.
import * as tf from '@tensorflow/tfjs'
import { currentGraph } from '../tracing/current-graph.ts'
import { claim, made, nchw, nhwc } from '../tracing/layout.ts'
import { permuted, TO_NCHW, TO_NHWC, transposeData, type Value } from '../tracing/value.ts'
import { activate, type FusedAttributes } from './activation.ts'
import { binary } from './broadcast.ts'
import { kernel } from './kernel.ts'

export type ConvInfo = tf.backend_util.Conv2DInfo

export interface ConvAttributes {
  readonly strides: number | [number, number]
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  readonly dilations?: number | [number, number] | null
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
  readonly dataFormat?: 'NHWC' | 'NCHW' | null
}

interface ConvShapes {
  readonly input: readonly number[]
  /** [height, width, in channels, out channels], or [height, width, channels, multiplier] when depthwise. */
  readonly filter: readonly number[]
  readonly depthwise: boolean
}

/** Output size and padding, computed by TF.js itself. */
export function convInfo(shapes: ConvShapes, attributes: ConvAttributes): ConvInfo {
  const { dataFormat, strides, dilations, pad, dimRoundingMode } = attributes
  if ((dataFormat ?? 'NHWC') !== 'NHWC') throw new Error('trace: convolutions take channels last')
  return tf.backend_util.computeConv2DInfo(
    [...shapes.input] as [number, number, number, number],
    [...shapes.filter] as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    shapes.depthwise,
  )
}

/** The attributes of ONNX's Conv and ConvTranspose. */
export function convNodeAttributes(info: ConvInfo, group: number) {
  const { top, left, bottom, right } = info.padInfo
  return {
    kernel_shape: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [top, left, bottom, right],
    group,
  }
}

/** The filter as ONNX has it: [out, in, h, w]; depthwise [channels * multiplier, 1, h, w]. Constants are copied once. */
export function filterName(filter: Value, depthwise: boolean): string {
  claim(filter)
  const key = depthwise ? 'depthwiseFilter' : 'filter'
  filter.names[key] ??= writeFilter(filter, depthwise)
  return filter.names[key]
}

function writeFilter(filter: Value, depthwise: boolean): string {
  const graph = currentGraph()
  const [height = 1, width = 1, channels = 1, last = 1] = filter.shape
  const order = depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1]
  const dims = depthwise ? [channels * last, 1, height, width] : [last, channels, height, width]
  if (filter.data) {
    return graph.initializer('float32', dims, transposeData(filter.data, filter.shape, order))
  }
  const name = graph.node('Transpose', [nhwc(filter)], { attributes: { perm: order } })
  return depthwise ? graph.node('Reshape', [name, graph.integers(dims)]) : name
}

interface ConvOperands {
  readonly x: Value
  readonly filter: Value
  readonly bias?: Value | undefined
}

/** Operator: Conv, with the bias inside it when it has one number for each channel. */
function convolve(operands: ConvOperands, attributes: ConvAttributes, depthwise: boolean): Value {
  const { x, filter, bias } = operands
  if (attributes.dataFormat === 'NCHW') {
    // The same numbers in the same order, called by the names that TF.js has for channels last.
    const last = made(nhwc(x), 'nchw', permuted(x.shape, TO_NHWC))
    const result = convolve(
      { ...operands, x: last },
      { ...attributes, dataFormat: 'NHWC' },
      depthwise,
    )
    return made(nchw(result), 'nhwc', permuted(result.shape, TO_NCHW))
  }
  const info = convInfo({ input: x.shape, filter: filter.shape, depthwise }, attributes)
  const inputs = [nchw(x), filterName(filter, depthwise)]
  const isInside = bias?.shape.length === 1
  if (isInside) inputs.push(nhwc(bias))
  const group = depthwise ? info.inChannels : 1
  const name = currentGraph().node('Conv', inputs, { attributes: convNodeAttributes(info, group) })
  const result = made(name, 'nchw', info.outShape)
  return bias && !isInside ? binary('Add', result, bias) : result
}

kernel<'x' | 'filter', ConvAttributes>('Conv2D', (inputs, attributes) =>
  convolve(inputs, attributes, false),
)
kernel<'x' | 'filter', ConvAttributes>('DepthwiseConv2dNative', (inputs, attributes) =>
  convolve(inputs, attributes, true),
)

for (const [name, depthwise] of [
  ['FusedConv2D', false],
  ['FusedDepthwiseConv2D', true],
] as const) {
  kernel<'x' | 'filter' | 'bias' | 'preluActivationWeights', ConvAttributes & FusedAttributes>(
    name,
    (inputs, attributes) => {
      const result = convolve(inputs, attributes, depthwise)
      return activate(result, attributes, inputs.preluActivationWeights)
    },
  )
}
