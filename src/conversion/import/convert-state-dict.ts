// A PyTorch state dict of an architecture that exists here: the network is built anew, the weights are put into it, nothing
// of the file is executed. Runs in the import's child process.
import { join } from 'node:path'
import type { Architecture } from '../../architectures/architecture.ts'
import { getArchitecture } from '../../architectures/catalogue.ts'
import { saveLayersModel } from '../../engine/layers-save.ts'
import { predictionGraph } from '../../engine/prediction-graph.ts'
import { AppError } from '../../errors.ts'
import type { TorchWeights } from '../fitting/by-torch-name.ts'
import { fill, fit } from '../fitting/fit.ts'
import { channelsOf, recognise } from '../fitting/recognise.ts'
import { torchHeads } from '../fitting/torch-names.ts'
import { type OpenWeights, withWeightsFile } from '../fitting/weights-file.ts'
import type { ConvertedModel } from './converted-model.ts'
import { type ForeignFields, wantedSize } from './foreign-fields.ts'

/** Where torchxrayvision keeps the thresholds that it rescales its answers by. */
const THRESHOLDS = 'op_threshs'
const VARIANT = 'torchvision'

/** @throws AppError `invalid`, `invalid-package` naming the tensor that does not fit */
export async function convertStateDict(
  path: string,
  fields: Pick<ForeignFields, 'architecture' | 'preprocessing'>,
): Promise<ConvertedModel> {
  return withWeightsFile(path, async (file) => {
    if (!('torch' in file)) throw new AppError('invalid-package', 'This is no PyTorch state dict.')
    const { torch } = file
    const architecture = getArchitecture(fields.architecture ?? (await recognise(file)))
    await refuseOther(file, architecture)
    const outputs = headOutputs(torch, architecture)
    const [height, width] = wantedSize(fields.preprocessing) ?? [
      architecture.inputSize,
      architecture.inputSize,
    ]
    const channels = await channelsOf(file)
    const shape = { height, width, channels, outputs, seed: 0, weights: 'zeros' } as const
    const model = architecture.build({ ...shape, variant: VARIANT, top: 'original' })
    await fill(model, await fit(model, { file, architecture }))
    const traced = predictionGraph(model, {
      lastActivation: 'auto',
      explanationLayer: architecture.explanation.layer,
    })
    const total = model.countParams()
    const frozen = model.nonTrainableWeights.reduce(
      (sum, weight) => sum + weight.shape.reduce<number>((size, n) => size * (n ?? 1), 1),
      0,
    )
    const { layer, reason } = architecture.explanation
    return {
      onnx: traced.onnx,
      graph: traced.graph,
      input: { width, height, channels },
      outputCount: outputs,
      lastActivation: undefined,
      certainty: 'logits',
      explanation: traced.explanationLayer === null ? null : { layer, reason, scale: null },
      parameters: { total, trainable: total - frozen, nonTrainable: frozen },
      labels: undefined,
      featureNotice: undefined,
      architecture: architecture.name,
      variant: VARIANT,
      thresholds: await thresholdsOf(torch, outputs),
      writeMore: (modelsDir) => saveLayersModel(model, join(modelsDir, 'tfjs')),
    }
  })
}

/** @throws AppError `invalid` when the file says plainly that it is of another architecture */
async function refuseOther(file: OpenWeights, { name, title }: Architecture): Promise<void> {
  const told = await recognise(file).catch(() => name)
  if (told === name) return
  throw new AppError('invalid', `The weights are of ${told} and not of ${title}.`, {
    extra: { field: 'architecture' },
  })
}

/** A linear layer at the end, by any of the names that the last one goes by. */
const HEAD_LAYER = /^(fc|classifier|heads?|heads\.head)(\.\d+)*\.weight$/
/** VGG16 ends in three of them, which are its own. */
const LONG_HEADS = new Set(['vgg16'])

/** One linear layer would be taken, and the other left out, without a word. @throws AppError `invalid-package` */
function refuseLongHead({ names, source }: TorchWeights, { name, title }: Architecture): void {
  if (LONG_HEADS.has(name)) return
  const layers = [...names].filter(
    ([own, inFile]) => HEAD_LAYER.test(own) && source.tensors.get(inFile)?.shape.length === 2,
  )
  if (layers.length < 2) return
  const shown = layers.map(([own]) => own.slice(0, 60)).join(', ')
  throw new AppError(
    'invalid-package',
    `The file has a head of ${layers.length} linear layers (${shown}), where ${title} has one; what stands between them is code, so export the model to ONNX instead.`,
  )
}

/** Numbers that the last layer gives. @throws AppError `invalid-package` */
function headOutputs(torch: TorchWeights, architecture: Architecture): number {
  refuseLongHead(torch, architecture)
  const { names, source } = torch
  const { name, title } = architecture
  const heads = torchHeads(name)
  const found = heads.map((head) => names.get(`${head}.weight`)).find((one) => one !== undefined)
  const [outputs, features, ...more] = source.tensors.get(found ?? '')?.shape ?? []
  if (outputs && features && more.length === 0) return outputs
  throw new AppError(
    'invalid-package',
    `The file has no last layer ("${heads[0]}.weight") as ${title} has one: it is a backbone, which "roentgen weights import" keeps for training.`,
  )
}

/** What is no number belongs to a label that was not trained: it is never found. */
async function thresholdsOf(
  { names, source }: TorchWeights,
  outputs: number,
): Promise<readonly number[] | undefined> {
  const name = names.get(THRESHOLDS)
  if (name === undefined) return undefined
  const values = [...(await source.read(name))]
  if (values.length !== outputs) return undefined
  return values.map((value) => (value >= 0 && value <= 1 ? value : 1))
}
