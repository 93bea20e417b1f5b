// What the class activation methods share: the features of the explained layer, the gradient of one class's score
// with respect to them, and the shape of a map. The methods themselves: one file each beside this one.
import { AppError } from '../../errors.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'
import type { RawOutput, Volume } from '../host/raw-output.ts'
import { positiveIndex } from '../scores.ts'

/** Evidence for one class; values are >= 0 and not stretched. */
export interface EvidenceMap {
  readonly grid: Float32Array // [height, width]
  readonly width: number
  readonly height: number
}

export interface LayerEvidence {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly features: Float32Array // [height, width, channels]
  /** d score / d features of the explained class; one row for all places when `perPlace` is false. */
  readonly gradients: Float32Array // [height, width, channels] or [channels]
  readonly perPlace: boolean
}

export interface LayerEvidenceInput {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly raw: Pick<RawOutput, 'features' | 'gradients'>
  /** Index of the explained class. */
  readonly target: number
}

/** Undefined when the graph gives no features or no gradients. @throws AppError `internal` on shapes that do not fit */
export function findLayerEvidence(o: LayerEvidenceInput): LayerEvidence | undefined {
  const { features, gradients } = o.raw
  if (!features || !gradients) return undefined
  const [, height = 0, width = 0, channels = 0] = features.dims
  const [rows = 0, gradientHeight, gradientWidth, gradientChannels] = gradients.dims
  const perPlace = gradientHeight === height && gradientWidth === width
  const fits = perPlace || (gradientHeight === 1 && gradientWidth === 1)
  const expectedRows = o.kind === 'binary' && rows === 1 ? 1 : o.classes.length
  if (!fits || gradientChannels !== channels || rows !== expectedRows || height * width === 0) {
    throw new AppError(
      'internal',
      'The model gave a feature map that does not fit its gradients.',
      {
        cause: new Error(`features ${features.dims}, gradients ${gradients.dims}`),
      },
    )
  }
  return {
    height,
    width,
    channels,
    features: features.data,
    gradients: classGradients(gradients, { ...o, rows }),
    perPlace,
  }
}

/**
 * The gradient of the class's own score. A binary score is the positive class's margin z, and -z for the other class,
 * so the other class has the negated gradients (Selvaraju et al. 2017, counterfactual explanations).
 */
function classGradients(
  gradients: Volume,
  o: LayerEvidenceInput & { readonly rows: number },
): Float32Array {
  const size = gradients.data.length / o.rows
  const row = (index: number) => gradients.data.subarray(index * size, (index + 1) * size)
  if (o.kind !== 'binary') return row(o.target)
  const positive = positiveIndex(o.classes)
  const sign = o.target === positive ? 1 : -1
  if (o.rows === 1) return row(0).map((value) => sign * value)
  const [hit, other] = [row(positive), row(1 - positive)]
  return hit.map((value, index) => sign * (value - (other[index] ?? 0)))
}

/** Gradient of a channel at a place (place = y * width + x). */
export function gradientAt(layer: LayerEvidence, place: number, channel: number): number {
  return layer.gradients[layer.perPlace ? place * layer.channels + channel : channel] ?? 0
}

/** ReLU(sum over channels of weight(place, channel) * feature), one value for each place. */
export function rectifiedSum(
  layer: LayerEvidence,
  weight: (place: number, channel: number) => number,
): EvidenceMap {
  const { height, width, channels, features } = layer
  const grid = new Float32Array(height * width)
  for (let place = 0; place < grid.length; place++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) {
      sum += weight(place, channel) * (features[place * channels + channel] ?? 0)
    }
    grid[place] = Math.max(0, sum)
  }
  return { grid, width, height }
}

export function largest(grid: Float32Array): number {
  return grid.reduce((a, b) => Math.max(a, b), 0)
}
