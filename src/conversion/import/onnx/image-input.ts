// Which input of an ONNX graph takes the image, and in which layout and size; what the file leaves open is what was said.
import { AppError } from '../../../errors.ts'
import type { ProtoModel } from '../../../formats/onnx/model-proto.ts'
import { isCastable, isWholeNumber } from '../../../formats/onnx/serve-as-floats.ts'
import { DATA_TYPES, type OnnxValue } from '../../../formats/onnx/value-info.ts'
import type { InputSize, PartialPreprocessing } from '../foreign-fields.ts'
import { wantedSize } from '../foreign-fields.ts'

export interface OnnxImage {
  readonly input: OnnxValue
  readonly layout: 'nhwc' | 'nchw'
  readonly size: InputSize
  /** The input's shape for one image. */
  readonly dims: readonly number[]
}

/**
 * The ways in which an image may go in, the likeliest first; more than one only where the file leaves the layout open.
 * @throws AppError `invalid-package`, `invalid` in one sentence
 */
export function imageInputs(
  { inputs }: Pick<ProtoModel, 'inputs'>,
  said: PartialPreprocessing | undefined,
): readonly OnnxImage[] {
  const [input, ...others] = inputs
  if (!input || others.length > 0) {
    throw refused(`The model takes ${inputs.length} inputs; one image is what is given here.`)
  }
  const [batch, a, b, c] = input.dims
  const hasShape = input.dims.length === 4 || input.dims.length === 0
  if (!hasShape || (batch !== undefined && batch !== 1)) {
    throw refused('The model must take one image as four axes: batch, and height, width, channels.')
  }
  refuseType(input, said)
  const layouts = layoutsOf([a, b, c])
  if (layouts.length === 0) {
    throw refused('The model must take images with 1 or 3 channels, before or after their size.')
  }
  const [saidHeight, saidWidth] = wantedSize(said) ?? []
  return layouts.map((layout) => {
    const [given, height, width] = layout === 'nchw' ? [a, b, c] : [c, a, b]
    const channels = (given ?? said?.channels ?? 3) as 1 | 3
    const size = { height: height ?? saidHeight, width: width ?? saidWidth }
    if (!size.height || !size.width) {
      throw new AppError(
        'invalid',
        'The model leaves the height and width of its images open: say them in "preprocessing", as {"mode":"unit","size":224}.',
        { extra: { field: 'preprocessing' } },
      )
    }
    const whole = { height: size.height, width: size.width, channels }
    const dims =
      layout === 'nhwc'
        ? [1, whole.height, whole.width, channels]
        : [1, channels, whole.height, whole.width]
    return { input, layout, size: whole, dims }
  })
}

function layoutsOf([a, , c]: readonly (number | undefined)[]): readonly OnnxImage['layout'][] {
  if (a === 1 || a === 3) return ['nchw']
  if (c === 1 || c === 3) return ['nhwc']
  const open: OnnxImage['layout'][] = []
  if (a === undefined) open.push('nchw')
  if (c === undefined) open.push('nhwc')
  return open
}

/** What is scaled to a small range would all be rounded to 0 or 1. */
function refuseType({ elementType }: OnnxValue, said: PartialPreprocessing | undefined): void {
  if (!isCastable(elementType)) {
    const name = DATA_TYPES[elementType] ?? 'something else'
    throw refused(`The model takes ${name} and no numbers of an image.`)
  }
  if (!isWholeNumber(elementType)) return
  const { mode, scale = 1 } = said ?? {}
  const isScaled = mode === undefined ? Math.abs(scale) < 0.5 : mode !== 'raw' && mode !== 'caffe'
  if (!isScaled) return
  throw new AppError(
    'invalid',
    `The model takes whole numbers (${DATA_TYPES[elementType]}), which scaled pixels are not; its "preprocessing" is probably "raw".`,
    { extra: { field: 'preprocessing' } },
  )
}

function refused(message: string): AppError {
  return new AppError('invalid-package', message)
}
