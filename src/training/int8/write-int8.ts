// The files of a package about its graph in eight bits: the graph and its golden outputs where it is offered, the measured
// pair of figures either way.
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { createSession } from '../../engine/session.ts'
import { decodeImage } from '../../imaging/decode.ts'
import { preprocess } from '../../imaging/preprocess.ts'
import { scores } from '../../inference/scores.ts'
import {
  type Golden,
  GoldenSchema,
  type ModelConfig,
  type PrecisionEvidence,
} from '../../package/schema.ts'
import { absent, SizeSchema, sizeOf, valueOrReason } from '../record/known.ts'
import { json, type PackageContext, writeFiles } from '../record/package-context.ts'
import { explainNulls } from '../record/results/explain-nulls.ts'
import { int8Card, int8Summary } from './int8-words.ts'
import { type Int8Verdict, MAX_LOST } from './judge-int8.ts'
import type { Int8Trial } from './try-int8.ts'

const GOLDEN = 'results/golden/golden.json'
const LIMITS = { maxBytes: 256 * 1024 * 1024, maxPixels: 100_000_000 }
/**
 * Sums are exact in integers, but a value that lies between two steps may be rounded the other way by another processor. The
 * same graph with and without integer kernels differs by less than this.
 */
const TOLERANCE = 0.02

const fraction = valueOrReason(z.number().min(0).max(1))
const FiguresSchema = z.strictObject({
  accuracy: fraction,
  balancedAccuracy: fraction,
  auc: fraction,
  sensitivity: fraction,
  specificity: fraction,
  f1: fraction,
  n: z.int().min(0),
  testSet: z.string(),
})

const DifferenceSchema = z.strictObject({
  seen: z.number(),
  lower: z.number(),
  upper: z.number(),
})

/** results/precision.json, of a training that was asked for int8. */
export const PrecisionFileSchema = z.strictObject({
  schema: z.literal(2),
  offered: z.boolean(),
  reason: z.string(),
  /** Fraction of accuracy that int8 may lose. */
  maxLost: z.number(),
  /** int8 minus float32 on the test images, fractions with 95% intervals. */
  difference: valueOrReason(
    z.strictObject({
      decidedBy: z.enum(['accuracy', 'probability', 'too few images']),
      images: z.int().min(0),
      accuracy: DifferenceSchema,
      /** Of the probability of what is true. */
      probability: valueOrReason(DifferenceSchema),
    }),
  ),
  float32: z.strictObject({ metrics: FiguresSchema, size: SizeSchema }),
  int8: valueOrReason(
    z.strictObject({
      metrics: FiguresSchema,
      calibration: valueOrReason(z.looseObject({ method: z.string(), temperature: z.number() })),
      operatingPoints: z.array(z.looseObject({ name: z.string() })),
      size: SizeSchema,
      operators: z.int().min(1),
      activations: z.int().min(1),
      ranges: z.strictObject({
        images: z.int().min(1),
        split: z.literal('train'),
        rule: z.enum(['widest', 'average']),
        /** Root mean square of what the logits of these images differ by, in logit units. */
        logitDifference: z.strictObject({ widest: z.number(), average: z.number() }),
      }),
    }),
  ),
})

/** What configs/model.json says of it. */
export function int8Config(name: string, trial: Int8Trial | null): Pick<ModelConfig, 'int8'> {
  if (!trial?.offered) return {}
  return { int8: { file: `models/${name}.int8.onnx`, golden: 'results/golden/int8.json' } }
}

/** What the manifest says of it. */
export function int8Evidence(trial: Int8Trial | null): { int8?: PrecisionEvidence } {
  if (!trial?.offered) return {}
  const { calibration, operatingPoints, metrics } = trial.measured.evaluation
  return { int8: { calibration, operatingPoints: [...operatingPoints], metrics } }
}

/** After the golden images of the float graph, which are replayed, and after the texts, which get a word about it. */
export async function writeInt8(c: PackageContext): Promise<void> {
  const { int8: trial, config, dir } = c
  if (!trial) return
  await writeFiles(dir, { 'results/precision.json': json(report(c, trial)) })
  await appendFile(join(dir, 'results/SUMMARY.txt'), int8Summary(trial))
  await appendFile(join(dir, 'README.md'), int8Card(trial))
  if (!trial.offered || !config.int8) return
  const { onnx } = trial.measured.quantised
  await writeFiles(dir, {
    [config.int8.file]: onnx,
    [config.int8.golden]: json(await goldenOutputs(c, onnx)),
  })
}

function report({ onnx, evaluation }: PackageContext, { offered, reason, measured }: Int8Trial) {
  return explainNulls({
    schema: 2,
    offered,
    reason,
    maxLost: MAX_LOST,
    difference: measured ? differenceOf(measured.verdict) : absent(reason),
    float32: { metrics: evaluation.metrics, size: sizeOf(onnx.length) },
    int8: measured
      ? {
          metrics: measured.evaluation.metrics,
          calibration: measured.evaluation.calibration,
          operatingPoints: measured.evaluation.operatingPoints,
          size: sizeOf(measured.quantised.onnx.length),
          operators: measured.quantised.operators,
          activations: measured.quantised.activations,
          ranges: {
            images: measured.rangeImages,
            split: 'train',
            rule: measured.quantised.rule,
            logitDifference: measured.quantised.differences,
          },
        }
      : absent(reason),
  })
}

function differenceOf({ decidedBy, images, accuracy, probability }: Int8Verdict) {
  return {
    ...{ decidedBy, images, accuracy },
    probability: probability ?? absent('Fewer than two test images.'),
  }
}

async function goldenOutputs(c: PackageContext, onnx: Uint8Array): Promise<Golden> {
  const { kind, classes, preprocessing } = c.index
  const { input, outputs } = c.config.graph
  const { height, width, channels } = preprocessing
  const float = GoldenSchema.parse(JSON.parse(await readFile(join(c.dir, GOLDEN), 'utf8')))
  const session = await createSession(onnx, { threads: c.job.threads })
  const items: Golden['items'] = []
  try {
    for (const { file, label } of float.items) {
      const { pixels } = await decodeImage(await readFile(join(c.dir, file)), LIMITS)
      const x = { data: preprocess(pixels, preprocessing), dims: [1, height, width, channels] }
      const all = await session.run({ [input.name]: x })
      const row = (name: string | null) => (name ? (all[name]?.data ?? null) : null)
      const raw = { logits: row(outputs.logits), probabilities: row(outputs.probabilities) }
      const said = scores({ kind, classes, raw, calibration: null })
      items.push({ file, label, probabilities: said.map((one) => one.uncalibrated) })
    }
  } finally {
    await session.release()
  }
  return { schema: 1, tolerance: TOLERANCE, items }
}
