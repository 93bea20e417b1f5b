// Props as the server would give them, for rendering every view without one: two conditions, versions, results.
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Feedback } from '../../src/registry/predictions/feedback.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import type { Comparison } from '../../views/comparisons/show.ts'
import type { Example } from '../../views/shared/image-form.ts'
import type { Frame } from '../../views/shared/layout.ts'
import type { ConditionChoice } from '../../views/shared/version-parts.ts'
import type { HostStatus } from '../../views/system/host-status.ts'

export const NOTICE = 'Synthetic demonstration, not for use on patients.'
const AT = '2026-11-20T18:47:03.123Z'

export function digest(seed: number): string {
  return seed.toString(16).padStart(2, '0').repeat(32).slice(0, 64)
}

export const frame: Frame = { path: '/', product: '0.1.0', notice: NOTICE }

export const pneumonia: Condition = {
  id: 'pneumonia',
  name: 'Pneumonia',
  bodyPart: 'Chest',
  kind: 'binary',
  classes: [
    { label: 'NORMAL', positive: false },
    { label: 'PNEUMONIA', positive: true },
  ],
  policy: 'pinned',
  gate: { metric: 'balancedAccuracy', margin: 0.05 },
  active: {
    version: 'pneumonia/tiny-cnn@2',
    sha256: digest(2),
    since: AT,
    state: 'ok',
    activation: 'act_2',
    pointer: 'ok',
  },
  challenger: null,
  operatingPoint: null,
  versions: 2,
}

const SKIN_LABELS = ['akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc']

export const skin: Condition = {
  ...pneumonia,
  id: 'skin-lesion',
  name: 'Skin lesion',
  bodyPart: 'Skin',
  kind: 'single-label',
  classes: SKIN_LABELS.map((label) => ({
    label,
    positive: ['akiec', 'bcc', 'mel'].includes(label),
  })),
  active: {
    version: 'skin-lesion/tiny-cnn@1',
    sha256: digest(9),
    since: AT,
    state: 'damaged',
    activation: 'act_9',
    pointer: 'ok',
  },
}

export function version(change: Partial<Version> = {}): Version {
  const n = change.n ?? 2
  return {
    id: `pneumonia/tiny-cnn@${n}`,
    condition: 'pneumonia',
    name: 'tiny-cnn',
    n,
    sha256: digest(n),
    architecture: 'tiny_cnn',
    status: 'verified',
    statusReason: null,
    createdAt: AT,
    registeredAt: AT,
    registeredBy: 'someone',
    registeredVia: 'cli',
    verifiedAt: AT,
    deletedAt: null,
    isInBin: false,
    sizeBytes: 812_345,
    kind: 'binary',
    classes: pneumonia.classes,
    aliases: ['champion'],
    int8: null,
    notice: NOTICE,
    demonstration: true,
    metrics: {
      accuracy: 0.873,
      balancedAccuracy: 0.871,
      auc: 0.941,
      sensitivity: 0.85,
      specificity: 0.9,
      f1: 0.868,
      n: 240,
      testSet: 'synthetic-seed-7',
    },
    calibration: {
      method: 'temperature',
      temperature: 1.83,
      eceBefore: 0.081,
      eceAfter: 0.021,
      n: 160,
    },
    operatingPoints: [
      { name: 'youden', thresholds: { PNEUMONIA: 0.48 }, sensitivity: 0.88, specificity: 0.87 },
      {
        name: 'specificity>=0.95',
        thresholds: { PNEUMONIA: 0.37 },
        sensitivity: 0.79,
        specificity: 0.95,
      },
    ],
    defaultOperatingPoint: 'specificity>=0.95',
    files: [
      { path: 'models/tiny-cnn.onnx', size: 412_000, sha256: digest(3), md5: 'ab'.repeat(16) },
      { path: 'configs/model.json', size: 2100, sha256: digest(4), md5: 'cd'.repeat(16) },
    ],
    lineage: { run: 'run_1', dataset: 'synthetic-seed-7', parent: null },
    tags: ['demo'],
    notes: '',
    active: n === 2,
    ...change,
  }
}

export function prediction(change: Partial<Prediction> = {}): Prediction {
  return {
    id: 'p_1',
    condition: 'pneumonia',
    version: 'pneumonia/tiny-cnn@2',
    sha256: digest(2),
    role: 'active',
    classes: [
      { label: 'NORMAL', probability: 0.09, uncalibrated: 0.01, logit: -4.2 },
      { label: 'PNEUMONIA', probability: 0.91, uncalibrated: 0.99, logit: 4.2 },
    ],
    decision: {
      label: 'PNEUMONIA',
      positive: true,
      threshold: 0.37,
      operatingPoint: 'specificity>=0.95',
      findings: [{ label: 'PNEUMONIA', positive: true, threshold: 0.37 }],
    },
    confidence: 0.91,
    calibration: { method: 'temperature', temperature: 1.83, eceBefore: 0.081, eceAfter: 0.021 },
    heatmap: {
      url: '/api/v1/predictions/p_1/heatmap.png',
      method: 'gradcam',
      layer: 'conv4',
      target: 'PNEUMONIA',
      weak: false,
      scale: 3.5,
    },
    image: {
      width: 1024,
      height: 900,
      sha256: digest(77),
      format: 'png',
      passport: { steps: ['decoded: PNG, 8 bits'], tags: [{ name: 'Body part', value: 'CHEST' }] },
    },
    familiarity: null,
    preprocessing: digest(88),
    precision: 'float32',
    activation: 'act_2',
    at: AT,
    warnings: ['The file has several pages; the first one was read.'],
    timings: { decode: 12.4, preprocess: 3.2, infer: 8.9, explain: 0.7, total: 31 },
    notice: NOTICE,
    ...change,
  }
}

export const negative = prediction({
  id: 'p_2',
  version: 'pneumonia/tiny-cnn@1',
  sha256: digest(1),
  role: 'requested',
  classes: [
    { label: 'NORMAL', probability: 0.74, uncalibrated: 0.81, logit: 1.45 },
    { label: 'PNEUMONIA', probability: 0.26, uncalibrated: 0.19, logit: -1.45 },
  ],
  decision: {
    label: 'NORMAL',
    positive: false,
    threshold: 0.37,
    operatingPoint: 'specificity>=0.95',
    findings: [{ label: 'PNEUMONIA', positive: false, threshold: 0.37 }],
  },
  confidence: 0.74,
  calibration: null,
  heatmap: {
    url: '/api/v1/predictions/p_2/heatmap.png',
    method: 'gradcam',
    layer: 'conv4',
    target: 'PNEUMONIA',
    weak: true,
    scale: 3.5,
  },
  warnings: [],
})

export const feedback: readonly Feedback[] = [
  { verdict: 'disagree', label: 'NORMAL', comment: 'Old scar', at: AT, by: 'reader' },
]

export const older = version({
  n: 1,
  notice: NOTICE,
  calibration: null,
  metrics: null,
  status: 'unevaluated',
})

export const choices: readonly ConditionChoice[] = [
  { condition: pneumonia, versions: [version(), older] },
  {
    condition: skin,
    versions: [version({ id: 'skin-lesion/tiny-cnn@1', condition: 'skin-lesion', n: 1 })],
  },
]

export const examples: readonly Example[] = ['pneumonia', 'skin-lesion'].map((condition) => ({
  id: `${condition}-1`,
  condition,
  title: `${condition}, synthetic`,
  thumbnail: `/examples/${condition}-1?size=thumb`,
  image: `/examples/${condition}-1`,
}))

export const limits = { maxUploadBytes: 64 * 1024 * 1024, maxPixels: 100_000_000 }

export const host: HostStatus = {
  id: 'pneumonia/tiny-cnn@2',
  pid: 4711,
  state: 'ready',
  reason: null,
  rssBytes: 58_000_000,
  precision: 'float32',
  inFlight: 0,
  role: 'active',
}

export const comparison: Comparison = {
  a: prediction(),
  b: negative,
  agree: false,
  deltas: { NORMAL: 0.65, PNEUMONIA: -0.65 },
  condition: pneumonia,
  versionA: version(),
  versionB: older,
  imageAvailable: true,
  scaleA: 4.2,
  scaleB: 2.8,
}
