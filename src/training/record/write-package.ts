// A trained and evaluated model -> the package folder of CONTRACT section 3, manifest last. What is in it is the writers'.
import { join } from 'node:path'
import { saveLayersModel } from '../../engine/layers-save.ts'
import { createSession } from '../../engine/session.ts'
import { writePlots } from '../../evaluation/plots/package-plots.ts'
import { writeKerasFiles } from '../../formats/keras/write/package-files.ts'
import { writeManifest } from '../../package/manifest.ts'
import { measureHeatmapScale } from '../heatmap-scale.ts'
import { tryInt8 } from '../int8/try-int8.ts'
import { int8Config, int8Evidence, writeInt8 } from '../int8/write-int8.ts'
import { measureFamiliarity } from '../ood/measure-familiarity.ts'
import { expectedMemory } from '../run-checks.ts'
import { writeInventory } from './card/inventory-section.ts'
import { writeModelCard } from './card/model-card.ts'
import { describeModel } from './describe-model.ts'
import { writeGolden } from './golden-images.ts'
import { writeEnvironment } from './machine/environment-file.ts'
import { writeResources } from './machine/resources-file.ts'
import { writeThermal } from './machine/thermal-file.ts'
import { writeMetadata } from './metadata.ts'
import { writeArchitecture } from './model/architecture-file.ts'
import { writeOptimizer } from './model/optimizer-file.ts'
import { writeTrainConfig } from './model/train-file.ts'
import { writeWeightStatistics } from './model/weight-statistics.ts'
import {
  json,
  type PackageContext,
  type PackageInput,
  type PackageWriter,
  writeFiles,
} from './package-context.ts'
import { writeConvergence } from './results/convergence-file.ts'
import { writeDataset } from './results/dataset-file.ts'
import { writeHistory } from './results/history-file.ts'
import { writeResultsSummary } from './results/summary-file.ts'
import { writeSummaryText } from './results/summary-text.ts'
import { writeTables } from './results/tables.ts'

/** In this order: the model card may name what was written before it, metadata hashes everything. */
const WRITERS: readonly PackageWriter[] = [
  ({ dir, config, onnx }) => writeFiles(dir, { [config.graph.file]: onnx }),
  ({ dir, model }) => saveLayersModel(model, join(dir, 'models/tfjs')),
  ({ dir, name, model, job }) =>
    writeKerasFiles({ dir, name, model, isDemonstration: job.demonstration !== undefined }),
  ({ dir, config }) => writeFiles(dir, { 'configs/model.json': json(config) }),
  ({ dir, index }) => writeFiles(dir, { 'configs/preprocessing.json': json(index.preprocessing) }),
  async ({ dir, session, config: model, prepared }) =>
    writeFiles(dir, await measureFamiliarity(session, { model, prepared })),
  writeGolden,
  writeArchitecture,
  writeTrainConfig,
  writeOptimizer,
  writeWeightStatistics,
  writeTables,
  writeHistory,
  writeConvergence,
  writeDataset,
  writeResultsSummary,
  writeResources,
  writeThermal,
  writeEnvironment,
  (c) =>
    writePlots(c.dir, {
      kind: c.index.kind,
      evaluation: c.evaluation,
      images: c.prepared.imagesOf('test'),
      curves: c.trained,
      about: `${c.job.condition.id}/${c.name}`,
    }),
  writeSummaryText,
  writeModelCard,
  writeInt8,
  writeInventory,
  writeMetadata,
]

/** @returns the manifest and its digest */
export async function writePackage(input: PackageInput) {
  const context = await openContext(input)
  try {
    for (const write of WRITERS) await write(context)
  } finally {
    await context.session.release()
  }
  return writeManifest(context.dir, manifestFields(context))
}

async function openContext(input: PackageInput): Promise<PackageContext> {
  const { job, prepared, hyperparameters } = input
  const { batchSize, imageSize } = hyperparameters
  const { config, onnx } = describeModel(input)
  const session = await createSession(onnx, { threads: job.threads })
  const images = prepared.imagesOf('calibration')
  const scale = await measureHeatmapScale(session, { graph: config.graph, prepared, images })
  const explanation = config.explanation && { ...config.explanation, scale }
  const wantsInt8 = input.hyperparameters.int8
  const int8 = wantsInt8 ? await tryInt8({ ...input, graph: config.graph }) : null
  return {
    ...input,
    dir: job.packageDir,
    index: prepared.index,
    config: { ...config, explanation, ...int8Config(input.name, int8) },
    int8,
    onnx,
    session,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    expectedMemoryBytes: expectedMemory({ card: input.architecture, batchSize, imageSize }),
    endedAt: new Date(),
  }
}

function manifestFields(c: PackageContext): Parameters<typeof writeManifest>[1] {
  const { job, index, evaluation } = c
  return {
    condition: job.condition.id,
    name: c.name,
    createdAt: c.endedAt.toISOString(),
    architecture: c.architecture.name,
    kind: index.kind,
    classes: [...index.classes],
    conditionName: job.condition.name,
    bodyPart: job.condition.bodyPart,
    notice: job.demonstration?.notice ?? null,
    demonstration: job.demonstration !== undefined,
    calibration: evaluation.calibration,
    operatingPoints: [...evaluation.operatingPoints],
    defaultOperatingPoint: evaluation.defaultOperatingPoint,
    metrics: evaluation.metrics,
    ...int8Evidence(c.int8),
    lineage: {
      run: job.id,
      dataset: index.fingerprint,
      datasetName: index.name,
      ...(job.initFrom && { initFrom: job.initFrom.version }),
      ...(c.pretrained && { weights: c.pretrained.name, weightsSha256: c.pretrained.sha256 }),
    },
    tags: [...(job.tags ?? [])],
  }
}
