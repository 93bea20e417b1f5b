// An ONNX file as a graph that is served: which input takes the image and what its output means. The file stays as it is.
import { readFile } from 'node:fs/promises'
import { AppError } from '../../errors.ts'
import type { ConvertedModel } from './converted-model.ts'
import type { InputSize } from './foreign-fields.ts'
import { type OnnxOutline, type OnnxValue, readOnnxOutline } from './onnx-outline.ts'

const FLOAT32 = 1

/** @throws AppError `invalid-package` in one sentence */
export async function convertOnnx(path: string): Promise<ConvertedModel> {
  const onnx = await readFile(path)
  const outline = readOnnxOutline(onnx)
  const { name, layout, size } = imageInput(outline)
  const output = scoreOutput(outline)
  const maker = outline.madeBy.get(output.name)
  const lastActivation =
    maker === 'Softmax' ? 'softmax' : maker === 'Sigmoid' ? 'sigmoid' : undefined
  const isProbability = lastActivation !== undefined
  return {
    onnx,
    graph: {
      input: { name, layout },
      outputs: {
        logits: isProbability ? null : output.name,
        probabilities: isProbability ? output.name : null,
        features: null,
        gradients: null,
      },
    },
    input: size,
    outputCount: output.dims.slice(1).reduce<number>((count, n) => count * (n ?? 1), 1),
    lastActivation,
    explanation: null,
    parameters: null,
    labels: undefined,
    featureNotice: undefined,
    architecture: 'onnx',
    writeMore: async () => {},
  }
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
      `The model takes ${outline.inputs.length} inputs; one image is what is given here.`,
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
