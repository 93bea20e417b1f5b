// What is familiar to a trained model: fitted to the features of training images as the package's own graph gives them, with
// the threshold from the test images. Written as configs/familiarity.json and .bin.
import type { Session } from '../../engine/session.ts'
import {
  distance,
  encodeFamiliarity,
  type FeatureCloud,
} from '../../inference/familiarity/familiarity.ts'
import { pooled } from '../../inference/familiarity/pooled.ts'
import type { FamiliarityConfig, ModelConfig } from '../../package/schema.ts'
import type { Prepared } from '../dataset/prepared.ts'
import type { Split } from '../dataset/split.ts'
import { runOne } from '../predict.ts'
import { fitCloud } from './fit.ts'

const PERCENTILE = 0.99
/** Each costs one run; more would hardly move the figures. */
const MAX_IMAGES = { train: 512, test: 400, calibration: 400 } as const
/** From fewer nothing can be said. */
const MIN_IMAGES = 20
const FILE = 'configs/familiarity.bin'

/** Files by path below the package; none when the graph gives no features or the images are too few. */
export async function measureFamiliarity(
  session: Session,
  o: { readonly model: ModelConfig; readonly prepared: Prepared },
): Promise<Readonly<Record<string, string | Uint8Array>>> {
  const { model, prepared } = o
  const output = model.graph.outputs.features
  if (!output || !model.explanation) return {}
  const featuresOf = (split: keyof typeof MAX_IMAGES) =>
    embeddings(session, { output, prepared, split, inputName: model.graph.input.name })
  const train = await featuresOf('train')
  const cloud = train.length < MIN_IMAGES ? undefined : fitCloud(train)
  if (!cloud) return {}
  const test = (await featuresOf('test')).map((row) => distance(cloud, row))
  if (test.length < MIN_IMAGES) return {}
  const threshold = upperQuantile(test, PERCENTILE)
  const others = (await featuresOf('calibration')).map((row) => distance(cloud, row))
  if (!(threshold > 0) || !Number.isFinite(threshold)) return {}
  const config: FamiliarityConfig = {
    schema: 1,
    method: 'mahalanobis',
    layer: model.explanation.layer,
    pooling: 'quarters',
    normalisation: 'signed-root-l2',
    ...shapeOf(cloud),
    threshold,
    percentile: PERCENTILE,
    fittedOn: { split: 'train', n: train.length },
    thresholdFrom: { split: 'test', n: test.length },
    checkedOn: {
      split: 'calibration',
      n: others.length,
      outside: others.filter((one) => one > threshold).length,
    },
    file: FILE,
  }
  return {
    'configs/familiarity.json': `${JSON.stringify(config, null, 2)}\n`,
    [FILE]: encodeFamiliarity(cloud),
  }
}

function shapeOf({ mean, variances, residualVariance }: FeatureCloud) {
  return { features: mean.length, variances: [...variances], residualVariance }
}

/** Of images spread evenly over the split. */
async function embeddings(
  session: Session,
  o: {
    readonly output: string
    readonly inputName: string
    readonly prepared: Prepared
    readonly split: Split & keyof typeof MAX_IMAGES
  },
): Promise<Float32Array[]> {
  const { prepared, inputName, output } = o
  const images = prepared.imagesOf(o.split)
  const step = Math.max(1, images.length / MAX_IMAGES[o.split])
  const rows: Float32Array[] = []
  for (let at = 0; at < images.length; at += step) {
    const image = images[Math.floor(at)]
    if (!image) break
    const features = (await runOne(session, { prepared, image, inputName }))[output]
    if (features) rows.push(pooled(features))
  }
  return rows
}

/**
 * The value that at least this share of further such images stays within, as far as so few can tell (split conformal
 * prediction, Vovk et al. 2005); the largest one where they are too few for that.
 */
function upperQuantile(values: readonly number[], share: number): number {
  const ascending = values.toSorted((a, b) => a - b)
  const place = Math.min(ascending.length, Math.ceil((ascending.length + 1) * share))
  return ascending[place - 1] ?? 0
}
