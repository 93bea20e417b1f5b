// Which JSON file of a package has which format. docs/formats has a JSON Schema of each, made of these by
// scripts/formats.ts; a test compares them, and validates packages. Record files of schema 1 are those of packages from
// before this record (the demonstration's); only what serving reads of them is bound.
import { z } from 'zod'
import {
  FamiliaritySchema,
  GoldenSchema,
  ManifestSchema,
  ModelConfigSchema,
  PreprocessingSchema,
} from '../../package/schema.ts'
import { PrecisionFileSchema } from '../int8/write-int8.ts'
import { EnvironmentFileSchema } from './machine/environment-file.ts'
import { ResourcesFileSchema } from './machine/resources-file.ts'
import { ThermalFileSchema } from './machine/thermal-file.ts'
import { MetadataFileSchema } from './metadata.ts'
import { ArchitectureFileSchema } from './model/architecture-file.ts'
import { OptimizerFileSchema } from './model/optimizer-file.ts'
import { TrainFileSchema } from './model/train-file.ts'
import { WeightStatisticsSchema } from './model/weight-statistics.ts'
import { ConvergenceFileSchema } from './results/convergence-file.ts'
import { DatasetFileSchema } from './results/dataset-file.ts'
import { HistoryFileSchema } from './results/history-file.ts'
import { SummaryFileSchema } from './results/summary-file.ts'

export interface Format {
  readonly file: string
  readonly title: string
  readonly schema: z.ZodType
  /** Read by hosts, so bound in every package. */
  readonly isServed: boolean
  /** Only where a training was asked for it, or had images enough. */
  readonly isOptional: boolean
}

const served = (file: string, title: string, schema: z.ZodType): Format => {
  return { file, title, schema, isServed: true, isOptional: false }
}
const record = (file: string, title: string, schema: z.ZodType): Format => {
  return { file, title, schema, isServed: false, isOptional: false }
}
const optional = (file: string, title: string, schema: z.ZodType): Format => {
  return { file, title, schema, isServed: false, isOptional: true }
}

export const FORMATS: readonly Format[] = [
  served('manifest.json', 'what is in a package, with digests', ManifestSchema),
  served('configs/model.json', 'how the graph is read', ModelConfigSchema),
  served('configs/preprocessing.json', 'from a file to the input', PreprocessingSchema),
  served('results/golden/golden.json', 'images with the outputs they gave', GoldenSchema),
  optional('configs/familiarity.json', 'how an unlike image is noticed', FamiliaritySchema),
  record('configs/architecture.json', 'the network layer by layer', ArchitectureFileSchema),
  record('configs/train.json', 'how it was trained', TrainFileSchema),
  record('configs/optimizer.json', 'the optimizer and what it remembers', OptimizerFileSchema),
  record('results/results_summary.json', 'the whole result', SummaryFileSchema),
  record('results/training_history.json', 'every epoch', HistoryFileSchema),
  record('results/convergence.json', 'what the curves say', ConvergenceFileSchema),
  record('results/weight_statistics.json', 'numbers about the weights', WeightStatisticsSchema),
  record('results/dataset_stats.json', 'what it learnt from', DatasetFileSchema),
  record('results/environment.json', 'machine, engine and libraries', EnvironmentFileSchema),
  optional(
    'results/precision.json',
    'int8 beside float32, where it was asked for',
    PrecisionFileSchema,
  ),
  record('results/resources.json', 'what it took of the machine', ResourcesFileSchema),
  record('results/thermal.json', 'how warm it got, and thermal pauses', ThermalFileSchema),
  record('results/metadata.json', 'times, sizes and digests', MetadataFileSchema),
]

/** `results/golden/golden.json` is described by `golden.schema.json`. */
export function schemaFileOf({ file }: Format): string {
  return `${(file.split('/').at(-1) ?? file).replace(/\.json$/, '')}.schema.json`
}

/** JSON Schema, draft 2020-12. */
export function jsonSchemaText({ file, title, schema, isServed }: Format): string {
  // A record has every field; what is served may come from another version with more of them.
  const io = isServed ? 'input' : 'output'
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, reused: 'ref' })
  const text = { $schema, title: file, description: `${file} of a package: ${title}.`, ...rest }
  return `${JSON.stringify(text, null, 2)}\n`
}
