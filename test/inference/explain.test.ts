// Class activation methods, the scale of a map, and occlusion, against numbers that can be worked out by hand.
import assert from 'node:assert/strict'
import test from 'node:test'
import { findLayerEvidence, type LayerEvidence } from '../../src/inference/explain/evidence.ts'
import {
  EXPLAIN_METHODS,
  explain,
  warningsOfWeakEvidence,
} from '../../src/inference/explain/explain.ts'
import { gradCam } from '../../src/inference/explain/gradcam.ts'
import { gradCamPlusPlus } from '../../src/inference/explain/gradcam-plus-plus.ts'
import { hiResCam } from '../../src/inference/explain/hirescam.ts'
import { cells, patchAround } from '../../src/inference/explain/occlusion.ts'
import type { RawOutput } from '../../src/inference/host/raw-output.ts'
import type { LoadedVersion } from '../../src/inference/lease.ts'
import { BINARY, PREPROCESSING } from './tiny-package.ts'

// A 2 x 2 map of two channels: [channel 0, channel 1] for each place.
const FEATURES = Float32Array.of(1, 0, 2, 1, 0, 3, 4, 0)
const PER_PLACE = Float32Array.of(1, -1, 0, 2, 3, 1, 0, -2)

function near(found: Iterable<number>, expected: readonly number[]): void {
  const values = [...found]
  assert.equal(values.length, expected.length)
  values.forEach((value, index) => {
    assert.ok(Math.abs(value - (expected[index] ?? 0)) < 1e-6, `${values} is not ${expected}`)
  })
}

function layer(gradients: Float32Array): LayerEvidence {
  const perPlace = gradients.length === FEATURES.length
  return { height: 2, width: 2, channels: 2, features: FEATURES, gradients, perPlace }
}

function output(o: { rows: number; gradients: Float32Array }): RawOutput {
  const places = o.gradients.length / o.rows === 2 ? [1, 1] : [2, 2]
  return {
    logits: Float32Array.of(1),
    probabilities: null,
    features: { data: FEATURES, dims: [1, 2, 2, 2] },
    gradients: { data: o.gradients, dims: [o.rows, ...places, 2] },
    embedding: null,
    inferMs: 1,
  }
}

test('Grad-CAM weighs each channel by its mean gradient and keeps what is positive', () => {
  const [a, b] = [(1 + 0 + 3 + 0) / 4, (-1 + 2 + 1 - 2) / 4]
  near(gradCam(layer(PER_PLACE)).grid, [1 * a, 2 * a + 1 * b, 3 * b, 4 * a])
  near(gradCam(layer(Float32Array.of(1, -1))).grid, [1, 2 - 1, 0, 4])
})

test('HiResCAM multiplies place by place', () => {
  near(hiResCam(layer(PER_PLACE)).grid, [1, 0 + 2, 0 + 3, 0])
})

test('HiResCAM and Grad-CAM are equal when the gradient is the same everywhere', () => {
  const gradients = Float32Array.of(0.25, -0.5)
  const spread = Float32Array.from({ length: 8 }, (_, index) => gradients[index % 2] ?? 0)
  near(hiResCam(layer(gradients)).grid, [...gradCam(layer(gradients)).grid])
  near(hiResCam(layer(spread)).grid, [...gradCam(layer(gradients)).grid])
})

test('Grad-CAM++ follows its closed form', () => {
  // a_ij = g^2 / (2 g^2 + sum(A) g^3), alpha = sum a_ij ReLU(g); sums of A: 7 and 4.
  const a = (g: number, sum: number) => (g * g) / (2 * g * g + sum * g ** 3)
  const first = a(1, 7) * 1 + a(3, 7) * 3
  const second = a(2, 4) * 2 + a(1, 4) * 1
  const expected = [first, 2 * first + second, 3 * second, 4 * first]
  near(gradCamPlusPlus(layer(PER_PLACE)).grid, expected)
})

test('Grad-CAM++ stays finite for zero gradients and negative features', () => {
  const zero = layer(new Float32Array(8))
  near(gradCamPlusPlus(zero).grid, [0, 0, 0, 0])
  const negative = { ...layer(PER_PLACE), features: FEATURES.map((value) => -value) }
  assert.ok(gradCamPlusPlus(negative).grid.every(Number.isFinite))
})

test('the negative class of a binary version is explained by the negated gradients', () => {
  const raw = output({ rows: 1, gradients: Float32Array.of(1, -1) })
  const of = (target: number) => {
    const found = findLayerEvidence({ kind: 'binary', classes: BINARY, raw, target })
    assert.ok(found)
    return gradCam(found).grid
  }
  near(of(1), [1, 1, 0, 4])
  near(of(0), [0, 0, 3, 0])
})

test('each class of a graph with several rows has its own gradients', () => {
  const raw = output({ rows: 3, gradients: Float32Array.of(1, 0, 0, 1, -1, -1) })
  const classes = ['a', 'b', 'c'].map((label) => ({ label, positive: true }))
  const of = (target: number) => {
    const found = findLayerEvidence({ kind: 'single-label', classes, raw, target })
    assert.ok(found)
    return gradCam(found).grid
  }
  near(of(0), [1, 2, 0, 4])
  near(of(1), [0, 1, 3, 0])
  near(of(2), [0, 0, 0, 0])
})

test('a feature map that does not fit its gradients is an error', () => {
  const raw = output({ rows: 2, gradients: new Float32Array(4) })
  const classes = ['a', 'b', 'c'].map((label) => ({ label, positive: true }))
  assert.throws(() => findLayerEvidence({ kind: 'single-label', classes, raw, target: 0 }), {
    code: 'internal',
  })
})

function version(o: { readonly scale: number | null }): LoadedVersion {
  return {
    model: {
      schema: 1,
      architecture: 'tiny_cnn',
      kind: 'binary',
      classes: [...BINARY],
      graph: {
        file: 'models/tiny.onnx',
        input: { name: 'image', layout: 'nhwc' },
        outputs: {
          logits: 'logits',
          probabilities: null,
          features: 'features',
          gradients: 'gradients',
        },
      },
      explanation: { layer: 'conv', reason: 'the only one', scale: o.scale },
      parameters: null,
    },
    familiarity: null,
    preprocessing: PREPROCESSING,
    infer: () => assert.fail('nothing needs another run'),
    inferMasked: () => assert.fail('nothing needs another run'),
  }
}

const RAW = output({ rows: 1, gradients: Float32Array.of(1, -1) })
const INPUT = { tensor: new Float32Array(256), raw: RAW, target: 'PNEUMONIA' }

test('a map is drawn on the scale of its version, and weak evidence is called so', async () => {
  const strong = await explain({ ...INPUT, version: version({ scale: 8 }), method: 'gradcam' })
  assert.equal(strong.heatmap.scale, 8)
  assert.equal(strong.heatmap.weak, false)
  assert.deepEqual(strong.warnings, [])
  const weak = await explain({ ...INPUT, version: version({ scale: 40 }), method: 'gradcam' })
  assert.equal(weak.heatmap.scale, 40)
  assert.equal(weak.heatmap.weak, true)
  const { target } = weak.heatmap
  assert.match(warningsOfWeakEvidence(weak.heatmap, target).join(), /weak/)
  assert.deepEqual(warningsOfWeakEvidence(weak.heatmap, 'another class'), [])
  assert.deepEqual(warningsOfWeakEvidence(strong.heatmap, target), [])
  near(weak.heatmap.grid, [1, 1, 0, 4])
})

test('without a reference scale the strongest evidence for any class is full colour, and that is said', async () => {
  const found = await explain({
    ...INPUT,
    version: version({ scale: null }),
    method: 'gradcam',
    target: 'NORMAL',
  })
  // The map of NORMAL has 3 at most, that of PNEUMONIA 4.
  assert.equal(found.heatmap.scale, 4)
  assert.match(found.warnings.join(), /No reference scale/)
})

test('the stored scale is not used for Grad-CAM++, whose values are of another kind', async () => {
  const found = await explain({ ...INPUT, version: version({ scale: 8 }), method: 'gradcam++' })
  assert.notEqual(found.heatmap.scale, 8)
  assert.match(found.warnings.join(), /No reference scale/)
})

test('an unknown class or layer is refused and what there is is named', async () => {
  const base = { ...INPUT, version: version({ scale: 8 }), method: 'gradcam' } as const
  await assert.rejects(explain({ ...base, target: 'FRACTURE' }), {
    code: 'unknown-target',
    message: /NORMAL, PNEUMONIA/,
  })
  await assert.rejects(explain({ ...base, layer: 'other' }), {
    code: 'unknown-layer',
    message: /"conv"/,
  })
  const found = await explain({ ...base, layer: 'conv' })
  assert.equal(found.heatmap.layer, 'conv')
})

test('the occlusion grid has 8 to 14 cells a side and its patches cover the input', () => {
  assert.deepEqual(
    [4, 64, 160, 224, 1000].map((pixels) => cells(pixels, false)),
    [4, 8, 10, 14, 14],
  )
  assert.equal(cells(224, true), 8)
  const covered = new Uint8Array(30 * 20)
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 8; column++) {
      const cell = { row, column, width: 8, height: 8 }
      const { x0, y0, x1, y1 } = patchAround({ width: 30, height: 20 }, cell)
      for (let y = y0; y < y1; y++) covered.fill(1, y * 30 + x0, y * 30 + x1)
    }
  }
  assert.ok(covered.every((value) => value === 1))
})

test('the names of the methods are those of the contract', () => {
  assert.deepEqual([...EXPLAIN_METHODS], ['gradcam', 'gradcam++', 'hirescam', 'occlusion', 'none'])
})
