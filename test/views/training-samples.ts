// Datasets and runs as the server would give them, for rendering their pages without one.

import type { StoredWeights } from '../../src/conversion/pretrained/weights-store.ts'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import { NO_PROGRESS, type RunEpoch } from '../../src/registry/runs/run-record.ts'
import type { Run } from '../../src/registry/runs/runs.ts'
import { usualOf } from '../../src/training/setting-fields.ts'
import { PRESETS, TRAINING_FIELDS } from '../../src/training/settings.ts'
import type { DatasetPageProps } from '../../views/datasets/show.ts'
import type { TrainingPageProps } from '../../views/runs/form.ts'
import type { RunPageProps } from '../../views/runs/show.ts'
import { digest, frame, pneumonia, version } from './samples.ts'

const AT = '2026-11-20T18:47:03.123Z'

export const dataset: Dataset = {
  id: 'chest-1234abcd',
  path: 'chest',
  name: 'chest',
  state: 'prepared',
  reason: null,
  scan: {
    layout: 'split folders',
    images: 300,
    bytes: 12_000_000,
    classes: [
      { label: 'NORMAL', count: 90 },
      { label: 'PNEUMONIA', count: 210 },
    ],
    splits: [{ split: 'train', count: 300 }],
    unlabelled: 0,
    tables: ['dataset.csv'],
    formats: { png: 299 },
    bitDepths: { 8: 299 },
    channels: { grey: 299 },
    sizes: {
      width: { min: 256, median: 300, max: 512 },
      height: { min: 256, median: 256, max: 256 },
    },
    broken: { count: 1, files: [{ file: 'NORMAL/x.png', reason: 'The file is empty.' }] },
    duplicates: { count: 1, groups: [['NORMAL/1.png', 'NORMAL/2.png']] },
    nearDuplicates: { count: 1, pairs: [['NORMAL/3.png', 'NORMAL/4.png']] },
    conflicts: [['NORMAL/5.png', 'PNEUMONIA/5.png']],
    groups: 120,
    leaks: { groups: 2, images: 1 },
    sharpness: { median: 120, blurred: [{ file: 'NORMAL/6.png', score: 3 }] },
    warnings: ['NORMAL has 90 images; at least 100 are recommended.'],
  },
  labelCheck: null,
  prepared: {
    kind: 'binary',
    classes: pneumonia.classes,
    condition: 'pneumonia',
    seed: 42,
    maxPerClass: null,
    exclude: ['NORMAL/7.png'],
    imageSize: 224,
    images: 297,
    splits: { train: { NORMAL: 60, PNEUMONIA: 140 }, test: { NORMAL: 14, PNEUMONIA: 30 } },
    setAside: { count: 1, files: [{ file: 'NORMAL/x.png', reason: 'The file is empty.' }] },
    duplicates: 1,
    notes: ['stratified by class'],
    warnings: [],
    fingerprint: digest(4),
    testSet: digest(5),
  },
  createdAt: AT,
  scannedAt: AT,
  preparedAt: AT,
}

function epoch(n: number): RunEpoch {
  return {
    epoch: n,
    trainLoss: 1 / n,
    trainAccuracy: 1 - 0.5 / n,
    valLoss: 1.1 / n,
    valAccuracy: 1 - 0.6 / n,
    valAuc: 0.9,
    learningRate: 1e-3,
    seconds: 61,
    imagesPerSecond: 35,
  }
}

export const run: Run = {
  id: '20261120T184703Z-pneumonia-tiny-cnn-quick-abc123',
  condition: 'pneumonia',
  dataset: dataset.id,
  datasetName: dataset.name,
  architecture: 'tiny_cnn',
  preset: 'quick',
  name: null,
  hyperparameters: { batchSize: 16 },
  initFrom: null,
  tags: ['trial'],
  state: 'running',
  reason: null,
  offer: null,
  progress: {
    ...NO_PROGRESS,
    phase: 'training',
    epoch: 4,
    epochs: 5,
    batch: 2,
    batches: 9,
    etaSeconds: 95,
    metrics: { loss: 0.4, accuracy: 0.8, valLoss: 0.5, valAccuracy: 0.75, valAuc: 0.9 },
    learningRate: 1e-3,
    imagesPerSecond: 35,
    memoryBytes: 300_000_000,
    cpuSeconds: 400,
    bestEpoch: 3,
    history: [1, 2, 3].map(epoch),
    phases: { preparing: 3.5 },
    notes: ['Overfitting.'],
  },
  version: null,
  lineage: {},
  attempts: 2,
  createdAt: AT,
  startedAt: AT,
  endedAt: null,
  by: 'someone',
  via: 'page',
}

export const failed: Run = {
  ...run,
  state: 'failed',
  reason: 'The training process was killed, most likely because memory ran out.',
  offer: { batchSize: 8 },
  endedAt: AT,
}

export const datasetProps: DatasetPageProps = {
  frame,
  dataset,
  progress: undefined,
  conditions: [pneumonia],
}

export const runProps: RunPageProps = { frame, run, log: [{ at: AT, text: 'epoch 1/5: loss 1' }] }

const weights: StoredWeights = {
  schema: 1,
  name: 'chest-densenet',
  architecture: 'densenet121',
  variant: 'torchvision',
  channels: 1,
  imageSize: null,
  scaling: { scale: 1, mean: [0], std: [1], order: 'rgb' },
  parameters: 7_031_232,
  sha256: 'a'.repeat(64),
  file: 'chest-densenet.aaaaaaaaaaaa.safetensors',
  source: {
    fileName: 'chest.pth',
    format: 'pytorch',
    sha256: 'b'.repeat(64),
    md5: 'c'.repeat(32),
    url: null,
    published: null,
  },
  importedAt: AT,
}

export const trainingProps: TrainingPageProps = {
  frame,
  conditions: [pneumonia],
  datasets: [dataset],
  architectures: [
    {
      name: 'tiny_cnn',
      title: 'Tiny CNN',
      purpose: 'A first look at a dataset.',
      inputSize: 128,
      channels: 'any',
      parameters: 90_000,
      gigaMacs: 0.02,
      activationMegabytes: 3,
      imagesPerSecond: 35,
      memoryMegabytes: 570,
    },
  ],
  presets: Object.entries(PRESETS).map(([name, preset]) => ({ name, ...preset })),
  settings: TRAINING_FIELDS.map((one) => ({ ...one, usualText: usualOf(one) })),
  versions: [version()],
  weights: [weights],
  chosen: new Map(),
  mismatch: undefined,
  runs: [run, failed],
  nextCursor: 'next',
}
