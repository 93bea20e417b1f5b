// An ONNX file as a graph that is served: which input takes the image, what its output means, and, where its end is linear,
// what a heatmap needs. The graph itself stays as it is.
import { readFile } from 'node:fs/promises'
import { externalDataSentence, findExternalData } from '../../engine/onnx/external-data.ts'
import type { TensorValue } from '../../engine/session.ts'
import { AppError, isAppError } from '../../errors.ts'
import { keepOutputs } from '../../formats/onnx/amend-graph.ts'
import { explainGraph } from '../../formats/onnx/explain-graph.ts'
import { withExternalData } from '../../formats/onnx/external-data.ts'
import { type ProtoModel, readModel } from '../../formats/onnx/model-proto.ts'
import { type FloatOutputs, floatInput, floatOutputs } from '../../formats/onnx/serve-as-floats.ts'
import type { ConvertedModel } from './converted-model.ts'
import type { PartialPreprocessing } from './foreign-fields.ts'
import { imageInputs, type OnnxImage } from './onnx/image-input.ts'
import { cannotRun, runOnce, scoreOutput } from './onnx/score-output.ts'

/** Older operators mean other things, and ONNX Runtime runs none of them. */
const MIN_OPSET = 7
const DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'])

export interface OnnxOptions {
  /** Where files are that hold its weights, if there are any. */
  readonly folder?: string | undefined
  /** Size and channels where the file leaves them open. */
  readonly preprocessing?: PartialPreprocessing | undefined
  /** How many there are, where that is known: of several outputs the one that fits is read. */
  readonly classes?: number | undefined
}

/** @throws AppError `invalid-package` in one sentence */
export async function convertOnnx(
  path: string,
  { folder, preprocessing, classes }: OnnxOptions = {},
): Promise<ConvertedModel> {
  const given = await readFile(path)
  const model = readWhole(given)
  checkOperators(model)
  const whole = await withExternalData(given, folder)
  refuseOtherFiles(whole)
  const floats = floatOutputs(whole, model)
  const images = imageInputs(model, preprocessing)
  const { image, onnx, name, results } = await firstThatRuns(floats, images)
  const served = onnx === given ? model : readModel(onnx)
  const output = scoreOutput(results, {
    model: served,
    madeFrom: new Map(floats.outputs.map((one) => [one.name, one.madeFrom])),
    classes,
  })
  const alone = output.others.length > 0 ? keepOutputs(onnx, new Set([output.name])) : onnx
  const explained = await explainGraph(alone, {
    model: served,
    scores: output.name,
    input: { name, dims: image.dims },
  })
  return {
    onnx: explained?.onnx ?? alone,
    graph: {
      input: { name, layout: image.layout },
      outputs: {
        logits: output.isBounded ? null : output.name,
        probabilities: output.isBounded ? output.name : null,
        features: explained?.features ?? null,
        gradients: explained?.gradients ?? null,
      },
    },
    input: image.size,
    outputCount: output.count,
    lastActivation: output.activation,
    certainty: output.isBounded ? 'probabilities' : output.isLinear ? 'probably-logits' : 'open',
    explanation: explained
      ? { layer: explained.layer, reason: explained.reason, scale: null }
      : null,
    parameters: null,
    labels: undefined,
    featureNotice: undefined,
    architecture: 'onnx',
    notes: ignored([...floats.ignored, ...output.others]),
    writeMore: async () => {},
  }
}

interface Running {
  readonly image: OnnxImage
  readonly onnx: Uint8Array
  readonly name: string
  readonly results: Readonly<Record<string, TensorValue>>
}

async function firstThatRuns(
  { onnx: whole }: FloatOutputs,
  images: readonly OnnxImage[],
): Promise<Running> {
  let failure: unknown
  for (const image of images) {
    const { onnx, name } = floatInput(whole, image)
    try {
      return { image, onnx, name, results: await runOnce(onnx, { name, dims: image.dims }) }
    } catch (cause) {
      failure ??= cause
    }
  }
  throw isAppError(failure) && failure.code !== 'load-failed' ? failure : cannotRun(failure)
}

function ignored(names: readonly string[]): readonly string[] {
  if (names.length === 0) return []
  const shown = names.map((name) => name.slice(0, 60)).join(', ')
  return [`Outputs of the file that are not read: ${shown.slice(0, 300)}.`]
}

function readWhole(bytes: Uint8Array): ProtoModel {
  try {
    return readModel(bytes)
  } catch (cause) {
    throw damaged(cause)
  }
}

function damaged(cause: unknown): AppError {
  const message = 'The ONNX file is cut off or damaged; export or copy it again.'
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
