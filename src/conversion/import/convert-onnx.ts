// An ONNX file as a graph that is served: which input takes the image, what its output means, and, where its end is linear,
// what a heatmap needs. The graph itself stays as it is.
import { readFile } from 'node:fs/promises'
import { externalDataSentence, findExternalData } from '../../engine/onnx/external-data.ts'
import { AppError } from '../../errors.ts'
import { explainGraph } from '../../formats/onnx/explain-graph.ts'
import { withExternalData } from '../../formats/onnx/external-data.ts'
import { type ProtoModel, readModel } from '../../formats/onnx/model-proto.ts'
import { type OnnxOutline, type OnnxValue, readOnnxOutline } from '../../formats/onnx/outline.ts'
import type { ConvertedModel } from './converted-model.ts'
import type { InputSize } from './foreign-fields.ts'

const FLOAT32 = 1

/** Older operators mean other things, and ONNX Runtime runs none of them. */
const MIN_OPSET = 7
const DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'])

/** @param folder where files are that hold its weights, if there are any. @throws AppError `invalid-package` in one sentence */
export async function convertOnnx(path: string, folder?: string): Promise<ConvertedModel> {
  const given = await readFile(path)
  const outline = readOnnxOutline(given)
  const model = readWhole(given)
  checkOperators(model)
  const whole = await withExternalData(given, folder)
  refuseOtherFiles(whole)
  const { name, layout, size } = imageInput(outline)
  const output = scoreOutput(outline)
  const maker = outline.madeBy.get(output.name)
  const lastActivation =
    maker === 'Softmax' ? 'softmax' : maker === 'Sigmoid' ? 'sigmoid' : undefined
  const isProbability = lastActivation !== undefined
  const { width, height, channels } = size
  const dims = layout === 'nhwc' ? [1, height, width, channels] : [1, channels, height, width]
  const explained = await explainGraph(whole, {
    // With weights from elsewhere the constants are known only now.
    model: whole === given ? model : readModel(whole),
    scores: output.name,
    input: { name, dims },
  })
  return {
    onnx: explained?.onnx ?? whole,
    graph: {
      input: { name, layout },
      outputs: {
        logits: isProbability ? null : output.name,
        probabilities: isProbability ? output.name : null,
        features: explained?.features ?? null,
        gradients: explained?.gradients ?? null,
      },
    },
    input: size,
    outputCount: output.dims.slice(1).reduce<number>((count, n) => count * (n ?? 1), 1),
    lastActivation,
    explanation: explained
      ? { layer: explained.layer, reason: explained.reason, scale: null }
      : null,
    parameters: null,
    labels: undefined,
    featureNotice: undefined,
    architecture: 'onnx',
    writeMore: async () => {},
  }
}

function readWhole(bytes: Uint8Array): ProtoModel {
  try {
    return readModel(bytes)
  } catch (cause) {
    throw damaged(cause)
  }
}

function damaged(cause: unknown): AppError {
  const message = 'The ONNX file is damaged; export or copy it again.'
  return new AppError('invalid-package', message, { cause })
}

/** What `withExternalData` has not read into the file: ONNX Runtime would read it from anywhere. */
function refuseOtherFiles(bytes: Uint8Array): void {
  let place: string | undefined
  try {
    place = findExternalData(bytes)
  } catch (cause) {
    throw damaged(cause)
  }
  if (place !== undefined) throw new AppError('invalid-package', externalDataSentence(place))
}

function checkOperators({ opset, hasFunctions, nodes }: ProtoModel): void {
  if (opset < MIN_OPSET) {
    throw new AppError(
      'invalid-package',
      `The model is of ONNX operator set ${opset}; sets from ${MIN_OPSET} are run, so export it again.`,
    )
  }
  // Functions in the file define operators of domains of their own.
  const foreign = hasFunctions ? undefined : nodes.find(({ domain }) => !DOMAINS.has(domain))
  if (!foreign) return
  throw new AppError(
    'invalid-package',
    `The operator "${foreign.op.slice(0, 40)}" of "${foreign.domain.slice(0, 40)}" is a custom operator, which is not supported.`,
  )
}

function imageInput(outline: OnnxOutline): {
  name: string
  layout: 'nhwc' | 'nchw'
  size: InputSize
} {
  const [input, ...others] = outline.inputs
  if (!input || others.length > 0) {
    throw new AppError(
      'invalid-package',
      `The model takes ${outline.inputs.length} inputs; only one image input is supported.`,
    )
  }
  const [batch, a, b, c] = input.dims
  const isImage = input.dims.length === 4 && (batch === undefined || batch === 1)
  if (!isImage || input.elementType !== FLOAT32) {
    throw new AppError(
      'invalid-package',
      'The model must take one image as four axes of 32-bit floats.',
    )
  }
  const channelsFirst = a === 1 || a === 3
  const channels = channelsFirst ? a : c
  const [height, width] = channelsFirst ? [b, c] : [a, b]
  if (!height || !width || (channels !== 1 && channels !== 3)) {
    throw new AppError(
      'invalid-package',
      'The model must take images of a fixed size with 1 or 3 channels; export it with a fixed input shape.',
    )
  }
  const layout = channelsFirst ? 'nchw' : 'nhwc'
  return { name: input.name, layout, size: { width, height, channels } }
}

/** One row of scores; axes of length one behind it do no harm. */
function scoreOutput(outline: OnnxOutline): OnnxValue {
  const rows = outline.outputs.filter(({ dims, elementType }) => {
    const [batch, count, ...rest] = dims
    const isRow = (batch === undefined || batch === 1) && count !== undefined
    return isRow && elementType === FLOAT32 && rest.every((n) => n === 1)
  })
  const [row, ...others] = rows
  if (row && others.length === 0) return row
  throw new AppError(
    'invalid-package',
    rows.length === 0
      ? 'The model must give one row of scores of known length for an image.'
      : 'The model gives several rows of scores; export it with one output.',
  )
}
