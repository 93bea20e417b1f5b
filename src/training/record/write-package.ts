// A trained and evaluated model -> the package folder of CONTRACT section 3, manifest last.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { saveLayersModel } from '../../engine/layers-save.ts'
import type { EngineName } from '../../engine/native/choose-engine.ts'
import { predictionGraph } from '../../engine/prediction-graph.ts'
import { createSession } from '../../engine/session.ts'
import { writeManifest } from '../../package/manifest.ts'
import type { Graph, ModelConfig } from '../../package/schema.ts'
import type { Architecture } from '../architectures/architecture.ts'
import type { Prepared } from '../dataset/prepared.ts'
import type { Evaluation } from '../evaluation/evaluate.ts'
import { measureHeatmapScale } from '../evaluation/heatmap-scale.ts'
import { lastActivation } from '../evaluation/predict.ts'
import type { TrainingJob } from '../job.ts'
import type { Trained } from '../loop/train.ts'
import type { Hyperparameters } from '../settings.ts'
import { writeGolden } from './golden-images.ts'
import { describeMachine, readableDuration, summariseLayers } from './machine.ts'
import { modelCard, type Story, summaryText } from './summary.ts'
import { datasetStats, historyCsv, perClassCsv, predictionsCsv } from './tables.ts'

export interface PackageInput {
  readonly job: TrainingJob
  readonly name: string
  readonly architecture: Architecture
  readonly model: tf.LayersModel
  readonly prepared: Prepared
  readonly hyperparameters: Hyperparameters
  readonly trained: Trained
  readonly evaluation: Evaluation
  /** What computed the training. */
  readonly engine: EngineName
  readonly startedAt: Date
  /** Seconds of each phase so far. */
  readonly phases: Readonly<Record<string, number>>
}

/** @returns the manifest and its digest */
export async function writePackage(o: PackageInput) {
  const { job, name, model, prepared, evaluation, hyperparameters } = o
  const { index } = prepared
  const dir = job.packageDir
  const { config, onnx } = describeModel(o)
  await writeAll(dir, { [config.graph.file]: onnx })
  await saveLayersModel(model, join(dir, 'models/tfjs'))
  const session = await createSession(onnx, { threads: job.threads })
  const images = prepared.imagesOf('calibration')
  const scale = await measureHeatmapScale(session, { graph: config.graph, prepared, images })
  const explained: ModelConfig = {
    ...config,
    explanation: config.explanation && { ...config.explanation, scale },
  }
  const { graph } = config
  await writeGolden(dir, { session, graph, index, datasetDir: job.datasetDir })
  await session.release()
  const endedAt = new Date()
  const story: Story = { ...o, index, model: explained, endedAt }
  await writeAll(dir, {
    'configs/model.json': json(explained),
    'configs/preprocessing.json': json(index.preprocessing),
    'configs/train.json': json(trainConfig(o)),
    'configs/optimizer.json': json({
      name: 'adam',
      learningRate: hyperparameters.learningRate,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      weightDecay: hyperparameters.weightDecay,
      schedule: hyperparameters.schedule,
      steps: o.trained.steps * o.trained.history.length,
    }),
    'results/training_history.csv': historyCsv(o.trained.history),
    'results/training_history.json': json({ schema: 1, epochs: o.trained.history }),
    'results/per_class_metrics.csv': perClassCsv(evaluation),
    'results/predictions.csv': predictionsCsv(prepared.imagesOf('test'), { evaluation, index }),
    'results/dataset_stats.json': json(datasetStats(index)),
    'results/results_summary.json': json(resultsSummary(story)),
    'results/metadata.json': json(await metadata(o, endedAt)),
    'results/SUMMARY.txt': summaryText(story),
    'README.md': modelCard(story),
  })
  return writeManifest(dir, {
    condition: job.condition.id,
    name,
    createdAt: endedAt.toISOString(),
    architecture: o.architecture.name,
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
    lineage: {
      run: job.id,
      dataset: index.fingerprint,
      datasetName: index.name,
      ...(job.initFrom && { initFrom: job.initFrom.version }),
    },
    tags: [...(job.tags ?? [])],
  })
}

function describeModel(o: PackageInput): { config: ModelConfig; onnx: Uint8Array } {
  const { architecture, model, prepared, name } = o
  const { kind, classes } = prepared.index
  const traced = predictionGraph(model, {
    lastActivation: lastActivation(kind),
    explanationLayer: architecture.explanation.layer,
  })
  const graph: Graph = { file: `models/${name}.onnx`, ...traced.graph }
  const total = model.countParams()
  const trainable = model.trainableWeights.reduce((sum, weight) => {
    return sum + weight.shape.reduce<number>((size, side) => size * (side ?? 1), 1)
  }, 0)
  const config: ModelConfig = {
    schema: 1,
    architecture: architecture.name,
    kind,
    classes: [...classes],
    graph,
    explanation: traced.explanationLayer
      ? { layer: traced.explanationLayer, reason: architecture.explanation.reason, scale: null }
      : null,
    parameters: { total, trainable, nonTrainable: total - trainable },
  }
  return { config, onnx: traced.onnx }
}

function trainConfig(input: PackageInput) {
  const { job, architecture, hyperparameters, model, prepared, trained } = input
  return {
    schema: 1,
    preset: job.preset,
    architecture: architecture.name,
    condition: job.condition.id,
    dataset: { name: job.datasetName, fingerprint: prepared.index.fingerprint },
    hyperparameters,
    initialWeights: job.initFrom
      ? `those of ${job.initFrom.version}`
      : 'random (He), from the seed',
    resumed: trained.resumed,
    frozenPart: trained.frozen,
    loss:
      prepared.index.kind === 'single-label' ? 'softmax cross-entropy' : 'sigmoid cross-entropy',
    monitor: 'validation loss, lowest; its weights are restored at the end',
    engine: { name: input.engine, threads: job.threads },
    layers: summariseLayers(model),
  }
}

function resultsSummary(story: Story) {
  const { evaluation, trained, index } = story
  const { answers: _, ...reported } = evaluation
  const best = trained.history.find(({ epoch }) => epoch === trained.bestEpoch)
  return {
    schema: 1,
    condition: story.job.condition.id,
    name: story.name,
    architecture: story.model.architecture,
    notice: story.job.demonstration?.notice ?? null,
    bestEpoch: trained.bestEpoch,
    epochs: trained.history.length,
    endedBy: trained.endedBy,
    atBestEpoch: best ?? null,
    splitNotes: index.notes,
    ...reported,
  }
}

async function metadata(o: PackageInput, endedAt: Date) {
  const seconds = (endedAt.getTime() - o.startedAt.getTime()) / 1000
  const { user, system } = process.cpuUsage()
  return {
    schema: 1,
    run: o.job.id,
    startedAt: o.startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    durationSeconds: seconds,
    duration: readableDuration(seconds),
    phasesSeconds: o.phases,
    cpuSeconds: (user + system) / 1e6,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    ...(await describeMachine()),
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

async function writeAll(
  dir: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
}
