// Probabilities to decisions at an operating point, for the three kinds of condition.
import assert from 'node:assert/strict'
import test from 'node:test'
import { chooseOperatingPoint, decide, defaultOperatingPoint } from '../../src/inference/decide.ts'
import type { ClassLabel, ConditionKind, OperatingPoint } from '../../src/package/schema.ts'

const BINARY = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]
const SKIN = [
  { label: 'nv', positive: false },
  { label: 'mel', positive: true },
  { label: 'bcc', positive: true },
]
const CHEST = [
  { label: 'no finding', positive: false },
  { label: 'effusion', positive: true },
  { label: 'nodule', positive: true },
]

function point(thresholds: Record<string, number>): OperatingPoint {
  return { name: 'chosen', thresholds, sensitivity: null, specificity: null }
}

function decided(
  kind: ConditionKind,
  o: {
    readonly classes: readonly ClassLabel[]
    readonly p: readonly number[]
    readonly operatingPoint: OperatingPoint
  },
) {
  const scores = o.classes.map(({ label }, index) => ({ label, probability: o.p[index] ?? 0 }))
  return decide({ kind, classes: o.classes, scores, operatingPoint: o.operatingPoint })
}

test('a binary finding is positive from its threshold on, not only above it', () => {
  const operatingPoint = point({ PNEUMONIA: 0.37 })
  assert.deepEqual(decided('binary', { classes: BINARY, p: [0.63, 0.37], operatingPoint }), {
    label: 'PNEUMONIA',
    positive: true,
    threshold: 0.37,
    operatingPoint: 'chosen',
    findings: [{ label: 'PNEUMONIA', positive: true, threshold: 0.37 }],
  })
  assert.deepEqual(decided('binary', { classes: BINARY, p: [0.64, 0.36], operatingPoint }), {
    label: 'NORMAL',
    positive: false,
    threshold: 0.37,
    operatingPoint: 'chosen',
    findings: [{ label: 'PNEUMONIA', positive: false, threshold: 0.37 }],
  })
})

test('without thresholds the most probable class of a single-label condition is the decision', () => {
  const operatingPoint = defaultOperatingPoint('single-label', SKIN)
  const found = decided('single-label', { classes: SKIN, p: [0.3, 0.6, 0.1], operatingPoint })
  assert.deepEqual(found, {
    label: 'mel',
    positive: true,
    threshold: null,
    operatingPoint: 'argmax',
    findings: [
      { label: 'mel', positive: true, threshold: null },
      { label: 'bcc', positive: false, threshold: null },
    ],
  })
})

test('a single-label finding that reaches its threshold outweighs a more probable harmless class', () => {
  const operatingPoint = point({ mel: 0.2 })
  const found = decided('single-label', { classes: SKIN, p: [0.7, 0.25, 0.05], operatingPoint })
  assert.equal(found.label, 'mel')
  assert.equal(found.positive, true)
  assert.equal(found.threshold, 0.2)
})

test('a single-label finding below its threshold is not decided on, however probable', () => {
  const operatingPoint = point({ mel: 0.8, bcc: 0.8 })
  const found = decided('single-label', { classes: SKIN, p: [0.2, 0.7, 0.1], operatingPoint })
  assert.equal(found.label, 'nv')
  assert.equal(found.positive, false)
  assert.deepEqual(
    found.findings.map((one) => one.positive),
    [false, false],
  )
})

test('each label of a multi-label condition is found by its own threshold', () => {
  const operatingPoint = point({ effusion: 0.3, nodule: 0.9 })
  const found = decided('multi-label', { classes: CHEST, p: [0.2, 0.4, 0.8], operatingPoint })
  assert.equal(found.label, 'effusion')
  assert.equal(found.positive, true)
  assert.deepEqual(found.findings, [
    { label: 'effusion', positive: true, threshold: 0.3 },
    { label: 'nodule', positive: false, threshold: 0.9 },
  ])
})

test('with no multi-label finding the harmless class is the decision, or else the most probable one, negative', () => {
  const operatingPoint = defaultOperatingPoint('multi-label', CHEST)
  const none = decided('multi-label', { classes: CHEST, p: [0.1, 0.2, 0.3], operatingPoint })
  assert.deepEqual([none.label, none.positive], ['no finding', false])
  const classes = CHEST.slice(1)
  const all = decided('multi-label', { classes, p: [0.2, 0.3], operatingPoint })
  assert.deepEqual([all.label, all.positive], ['nodule', false])
})

test('the operating point that is asked for is used, and an unknown one is refused by name', () => {
  const points = [point({ PNEUMONIA: 0.4 }), { ...point({ PNEUMONIA: 0.9 }), name: 'sure' }]
  const base = { points, inUse: 'sure', kind: 'binary', classes: BINARY } as const
  assert.equal(chooseOperatingPoint(base).name, 'sure')
  assert.equal(chooseOperatingPoint({ ...base, wanted: 'chosen' }).name, 'chosen')
  assert.equal(chooseOperatingPoint({ ...base, inUse: null }).name, 'chosen')
  assert.throws(() => chooseOperatingPoint({ ...base, wanted: 'other' }), {
    code: 'unknown-operating-point',
    message: /chosen, sure/,
  })
  const none = chooseOperatingPoint({ ...base, points: [], inUse: null })
  assert.deepEqual(none.thresholds, { PNEUMONIA: 0.5 })
})

test('a class may be called like a property that every object has', () => {
  for (const label of ['constructor', 'toString', 'hasOwnProperty']) {
    const classes = [
      { label: 'NORMAL', positive: false },
      { label, positive: true },
    ]
    const scores = [
      { label: 'NORMAL', probability: 0.2 },
      { label, probability: 0.8 },
    ]
    const operatingPoint = point({ NORMAL: 0.5 })
    for (const kind of ['binary', 'single-label', 'multi-label'] as const) {
      const { findings, label: decision } = decide({
        kind,
        classes,
        scores,
        operatingPoint,
      } as Parameters<typeof decide>[0])
      assert.equal(decision, label, kind)
      assert.ok(
        findings.every(({ threshold }) => threshold === null || typeof threshold === 'number'),
      )
    }
  }
})
