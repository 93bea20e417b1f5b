// What a package says about itself: the zod schemas of manifest.json, configs/model.json and golden.json,
// and the types that every room shares. Reading and hashing files: package-files.ts.
import { z } from 'zod'
import { PreprocessingSchema } from '../imaging/preprocessing.ts'
import { isName } from './ids.ts'

const name = z.string().refine(isName, 'must be 1 to 64 of a-z 0-9 . _ -')
const finite = z.number()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** `binary`: one sigmoid; `single-label`: softmax; `multi-label`: several independent sigmoids. */
export const KindSchema = z.enum(['binary', 'single-label', 'multi-label'])
export type ConditionKind = z.infer<typeof KindSchema>

export const ClassSchema = z.object({ label: z.string().min(1).max(100), positive: z.boolean() })
export type ClassLabel = Readonly<z.infer<typeof ClassSchema>>

/**
 * How raw scores become calibrated probabilities. `temperature` divides the logits (Guo et al. 2017),
 * ECE values are fractions 0..1 on the calibration split.
 */
export const CalibrationSchema = z.object({
  method: z.enum(['temperature']),
  temperature: finite.positive(),
  eceBefore: finite.min(0).max(1).nullable(),
  eceAfter: finite.min(0).max(1).nullable(),
  /** Images that it was fitted on. */
  n: z.int().min(0),
})
export type Calibration = Readonly<z.infer<typeof CalibrationSchema>>

/**
 * A named decision rule on *calibrated* probabilities. `thresholds` holds one entry for each positive class
 * (binary: the positive class; multi-label: every label); empty for `argmax` of a single-label model.
 */
export const OperatingPointSchema = z.object({
  name: z.string().min(1).max(64),
  thresholds: z.record(z.string(), finite.min(0).max(1)),
  /** Measured where the thresholds were chosen and on the test split; null where unknown. */
  sensitivity: finite.min(0).max(1).nullable(),
  specificity: finite.min(0).max(1).nullable(),
})
export type OperatingPoint = Readonly<z.infer<typeof OperatingPointSchema>>

/** Test-split figures, all fractions 0..1; null where undefined. `testSet` fingerprints the images they were measured on. */
export const MetricsSchema = z.object({
  accuracy: finite.nullable(),
  balancedAccuracy: finite.nullable(),
  auc: finite.nullable(),
  sensitivity: finite.nullable(),
  specificity: finite.nullable(),
  f1: finite.nullable(),
  n: z.int().min(0),
  testSet: z.string(),
})
export type Metrics = Readonly<z.infer<typeof MetricsSchema>>

/**
 * The ONNX graph that a host runs. Shapes: input [1,H,W,C] (nhwc) or [1,C,H,W] (nchw), float32.
 * `logits` [1,K] before the last activation, or else `probabilities` [1,K] after it. K is 1 for binary (the positive
 * class's logit) or the number of classes. `features` [1,h,w,F]; `gradients` [K,h,w,F] or [K,1,1,F] when they do not
 * depend on the place (linear head after global average pooling): d logit_k / d features.
 */
export const GraphSchema = z.object({
  file: z.string(),
  input: z.object({ name: z.string(), layout: z.enum(['nhwc', 'nchw']) }),
  outputs: z.object({
    logits: z.string().nullable(),
    probabilities: z.string().nullable(),
    features: z.string().nullable(),
    gradients: z.string().nullable(),
  }),
})
export type Graph = Readonly<z.infer<typeof GraphSchema>>

/** Where a heatmap is taken and what counts as strong evidence. `scale`: map value (logit units) drawn as full colour. */
export const ExplanationSchema = z.object({
  layer: z.string(),
  reason: z.string(),
  scale: finite.positive().nullable(),
})

/** configs/model.json: all that a host and the decision need, besides preprocessing.json. */
export const ModelConfigSchema = z.object({
  schema: z.literal(1),
  architecture: z.string(),
  /** Whose details the architecture has; Keras' own without it. */
  variant: z.enum(['keras', 'keras-imagenet', 'torchvision']).optional(),
  kind: KindSchema,
  classes: z.array(ClassSchema).min(1).max(5000),
  graph: GraphSchema,
  /** How the outputs of an imported model were read: what they were taken for, and what the user should know. */
  outputs: z
    .object({
      taken: z.enum(['logits', 'probabilities']),
      /** The class that the model's one output speaks for, before it was turned to the positive one. */
      unitClass: z.string().nullable(),
      notes: z.array(z.string()),
    })
    .optional(),
  /** The same graph in eight bits, ports and all, with golden outputs of its own. Most packages have none. */
  int8: z.object({ file: z.string(), golden: z.string() }).optional(),
  explanation: ExplanationSchema.nullable(),
  parameters: z.object({ total: z.int(), trainable: z.int(), nonTrainable: z.int() }).nullable(),
})
export type ModelConfig = Readonly<z.infer<typeof ModelConfigSchema>>

/**
 * configs/familiarity.json: what the features of the training images look like, so that an image unlike them is noticed.
 * `file` holds float32, little endian: mean [features], scale [features], axes [variances.length, features].
 * Packages from before, and foreign ones, have none.
 */
export const FamiliaritySchema = z.object({
  schema: z.literal(1),
  method: z.literal('mahalanobis'),
  /** The layer whose features are averaged over each quarter of the image. */
  layer: z.string(),
  pooling: z.literal('quarters'),
  /** The root of each with its sign, then length 1. */
  normalisation: z.literal('signed-root-l2'),
  features: z.int().min(1).max(100_000),
  /** Along each axis, of the features after mean and scale; then of each of the directions that are left. */
  variances: z.array(finite.positive()).max(1000),
  residualVariance: finite.positive(),
  /** Distance beyond which an image is called unlike the training images. */
  threshold: finite.positive(),
  /** Share of the images of `thresholdFrom` that lie within it, as it was asked for. */
  percentile: finite.min(0).max(1),
  fittedOn: z.object({ split: z.string(), n: z.int().min(0) }),
  thresholdFrom: z.object({ split: z.string(), n: z.int().min(0) }),
  /** Images that had no part in it, and how many of them are beyond the threshold. */
  checkedOn: z.object({ split: z.string(), n: z.int().min(0), outside: z.int().min(0) }),
  file: z.string(),
})
export type FamiliarityConfig = Readonly<z.infer<typeof FamiliaritySchema>>

/** results/golden/golden.json: stored images with the raw outputs that this very graph gave. */
export const GoldenSchema = z.object({
  schema: z.literal(1),
  /** Largest absolute difference of an uncalibrated probability that still passes. With more than this nothing would be proved. */
  tolerance: finite.positive().max(0.05),
  items: z.array(
    z.object({ file: z.string(), label: z.string().nullable(), probabilities: z.array(finite) }),
  ),
})
export type Golden = Readonly<z.infer<typeof GoldenSchema>>

/** How a graph computes: as it was trained, or with weights and activations of eight bits. */
export const PrecisionSchema = z.enum(['float32', 'int8'])
export type Precision = z.infer<typeof PrecisionSchema>

/** What another precision gives on the same images: it is calibrated and measured by itself. */
export const PrecisionEvidenceSchema = z.object({
  calibration: CalibrationSchema.nullable(),
  operatingPoints: z.array(OperatingPointSchema),
  metrics: MetricsSchema.nullable(),
})
export type PrecisionEvidence = Readonly<z.infer<typeof PrecisionEvidenceSchema>>

export const FileEntrySchema = z.object({
  path: z.string().min(1).max(512),
  size: z.int().min(0),
  sha256,
  md5: z.string().regex(/^[0-9a-f]{32}$/),
})
export type FileEntry = Readonly<z.infer<typeof FileEntrySchema>>

/** manifest.json. The SHA-256 of its bytes is the version's digest; it names every other file, not itself and not n. */
export const ManifestSchema = z.object({
  schema: z.literal(1),
  condition: name,
  name,
  createdAt: z.iso.datetime({ offset: true }),
  architecture: z.string().min(1).max(100),
  kind: KindSchema,
  classes: z.array(ClassSchema).min(1).max(5000),
  /** Enough to create the condition where it does not exist yet. */
  conditionName: z.string().min(1).max(100),
  bodyPart: z.string().max(100),
  /** Shown wherever the version is shown, e.g. "synthetic demonstration, not for use on patients". */
  notice: z.string().max(300).nullable(),
  demonstration: z.boolean(),
  calibration: CalibrationSchema.nullable(),
  operatingPoints: z.array(OperatingPointSchema),
  defaultOperatingPoint: z.string().nullable(),
  metrics: MetricsSchema.nullable(),
  /** Only of a package that also holds its graph in eight bits. */
  int8: PrecisionEvidenceSchema.optional(),
  /** Where it came from: run, dataset fingerprint, parent version, source file's digest, former ids. */
  lineage: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  tags: z.array(z.string().max(64)),
  files: z.array(FileEntrySchema).min(1).max(10_000),
})
export type Manifest = Readonly<z.infer<typeof ManifestSchema>>

export { PreprocessingSchema }
