// A tiny valid package in a folder, for tests that look at packages as files and rows and do not run them.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  type ManifestFields,
  type ReadManifest,
  writeManifest,
} from '../../src/package/manifest.ts'
import type { ModelConfig } from '../../src/package/schema.ts'

export interface TinyPackage {
  readonly fields?: Partial<ManifestFields>
  /** Further or other files, by path; text. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Makes the bytes of the graph, and so the digest, another one. */
  readonly seed?: number
  /** Accuracy on the test set `test-set-1`, also taken for the other metrics; null for no metrics. */
  readonly accuracy?: number | null
}

const CLASSES = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]

/** A new folder below the system's temporary folder. */
export function makeTempDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'roentgen-'))
}

/** Writes the files and the manifest. `dir` is made. */
export async function writePackage(dir: string, options: TinyPackage = {}): Promise<ReadManifest> {
  const { seed = 1, fields = {} } = options
  const manifest = { ...manifestFields(options), ...fields }
  const model: ModelConfig = {
    schema: 1,
    architecture: manifest.architecture,
    kind: manifest.kind,
    classes: [...manifest.classes],
    graph: {
      file: 'models/tiny.onnx',
      input: { name: 'input', layout: 'nhwc' },
      outputs: { logits: 'logits', probabilities: null, features: null, gradients: null },
    },
    explanation: null,
    parameters: null,
  }
  const files: Record<string, string | Uint8Array> = {
    'models/tiny.onnx': `graph ${seed}`,
    'configs/model.json': JSON.stringify(model),
    'configs/preprocessing.json': JSON.stringify(PREPROCESSING),
    'results/golden/golden.json': JSON.stringify({ schema: 1, tolerance: 1e-4, items: [] }),
    'README.md': `# ${manifest.name}\n`,
    ...options.files,
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
  return writeManifest(dir, manifest)
}

const PREPROCESSING = {
  schema: 1,
  width: 32,
  height: 32,
  channels: 1,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  scale: 1 / 255,
  mean: [0],
  std: [1],
  order: 'rgb',
}

function manifestFields({ accuracy = 0.9 }: TinyPackage): ManifestFields {
  return {
    condition: 'pneumonia',
    name: 'tiny-quick',
    createdAt: '2026-03-03T14:05:00+01:00',
    architecture: 'tiny_cnn',
    kind: 'binary',
    classes: CLASSES,
    conditionName: 'Pneumonia',
    bodyPart: 'chest',
    notice: null,
    demonstration: false,
    calibration: null,
    operatingPoints: [
      { name: 'youden', thresholds: { PNEUMONIA: 0.4 }, sensitivity: 0.9, specificity: 0.8 },
    ],
    defaultOperatingPoint: 'youden',
    metrics:
      accuracy === null
        ? null
        : {
            accuracy,
            balancedAccuracy: accuracy,
            auc: accuracy,
            sensitivity: accuracy,
            specificity: accuracy,
            f1: accuracy,
            n: 200,
            testSet: 'test-set-1',
          },
    lineage: { run: 'run-1' },
    tags: [],
  }
}
