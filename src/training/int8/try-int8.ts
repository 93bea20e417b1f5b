// A trained model in eight bits, measured as the float model was: is it good enough to be offered? Ranges come from training
// images, temperature and thresholds from the calibration split, figures from the test split.
import type * as tf from '@tensorflow/tfjs'
import type { Architecture } from '../../architectures/architecture.ts'
import { predictionTrace } from '../../engine/prediction-graph.ts'
import {
  type QuantisedPrediction,
  quantisePrediction,
} from '../../engine/quantisation/quantise-prediction.ts'
import { createSession, type Session } from '../../engine/session.ts'
import { type Evaluation, evaluate } from '../../evaluation/evaluate.ts'
import type { Outputs } from '../../evaluation/probabilities.ts'
import type { Graph } from '../../package/schema.ts'
import type { Prepared, PreparedImage } from '../dataset/prepared.ts'
import { explanationChoice } from '../explanation-choice.ts'
import type { Hyperparameters } from '../hyperparameters.ts'
import { targetOf } from '../loop/batches.ts'
import { lastActivation, runOne } from '../predict.ts'
import { type Int8Verdict, judgeInt8 } from './judge-int8.ts'

/** Enough for stable extremes: the widest of 64 images is rarely passed by much. */
const RANGE_IMAGES = 64

/** What came of it; `offered` says whether the package holds the graph. */
export type Int8Trial =
  | { readonly offered: false; readonly reason: string; readonly measured: Measured | null }
  | { readonly offered: true; readonly reason: string; readonly measured: Measured }

export interface Measured {
  readonly quantised: QuantisedPrediction
  readonly evaluation: Evaluation
  readonly verdict: Int8Verdict
  readonly rangeImages: number
}

export interface TrialInput {
  readonly architecture: Architecture
  readonly model: tf.LayersModel
  readonly prepared: Prepared
  readonly evaluation: Evaluation
  readonly job: { readonly threads: number }
  readonly hyperparameters: Pick<Hyperparameters, 'explanationLayer'>
  readonly graph: Graph
}

/** @throws AppError `load-failed` */
export async function tryInt8(o: TrialInput): Promise<Int8Trial> {
  const { prepared, model, architecture, graph } = o
  const { threads } = o.job
  const wished = o.hyperparameters.explanationLayer
  const { kind, classes, testSet } = prepared.index
  const { nodes } = predictionTrace(model, {
    lastActivation: lastActivation(kind),
    explanationLayer: explanationChoice(architecture, { model, wished }).layer,
  })
  const images = rangeImages(prepared)
  const quantised = await quantisePrediction({ nodes, images, threads })
  if (!quantised) {
    const reason = 'no layer of this model has a form in int8'
    return { offered: false, reason, measured: null }
  }
  const session = await createSession(quantised.onnx, { threads })
  try {
    const outputs = (split: 'calibration' | 'test') =>
      outputsOf(session, { prepared, graph, images: prepared.imagesOf(split) })
    const test = await outputs('test')
    const calibration = await outputs('calibration')
    const evaluation = evaluate({ classes, calibration, test, testSet })
    const answers = { float32: o.evaluation.answers, int8: evaluation.answers }
    const verdict = judgeInt8({ classes, kind, truth: test.truth, ...answers })
    const measured = { quantised, evaluation, verdict, rangeImages: images.length }
    return { offered: verdict.offered, reason: verdict.reason, measured }
  } finally {
    await session.release()
  }
}

/** Training images, classes in turn, by content hash: the same ones in every run on the same data. */
function rangeImages(prepared: Prepared): Float32Array[] {
  const train = prepared.imagesOf('train').toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
  const byClass = prepared.index.classes.map((_, k) =>
    train.filter((image) => image.classes.includes(k)),
  )
  const depth = Math.max(0, ...byClass.map((one) => one.length))
  const turns = Array.from({ length: Math.min(depth, RANGE_IMAGES) }, (_, turn) =>
    byClass.map((one) => one[turn]),
  )
  const chosen = [...new Set(turns.flat().filter((image) => image !== undefined))]
  return chosen.slice(0, RANGE_IMAGES).map((image) => {
    const row = new Float32Array(prepared.rowLength)
    prepared.read(image, row)
    return row
  })
}

async function outputsOf(
  session: Session,
  o: {
    readonly prepared: Prepared
    readonly graph: Graph
    readonly images: readonly PreparedImage[]
  },
): Promise<Outputs> {
  const { prepared, graph, images } = o
  const { index } = prepared
  const logits: number[][] = []
  for (const image of images) {
    const all = await runOne(session, { prepared, image, inputName: graph.input.name })
    logits.push([...(all[graph.outputs.logits ?? '']?.data ?? [])])
  }
  return { kind: index.kind, logits, truth: images.map((image) => targetOf(image, index)) }
}
