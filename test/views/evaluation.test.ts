// Pages of evaluations and plots: text from outside stays text, every table and drawing has a name for who cannot see it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { html } from 'hono/html'
import { parse } from 'node-html-parser'
import type { Evaluation } from '../../src/app/evaluations/evaluate-version.ts'
import { uniformAt } from '../../src/engine/random/counter-random.ts'
import { assess } from '../../src/evaluation/assess.ts'
import { figuresOf, resultPlots } from '../../src/evaluation/plots/result-plots.ts'
import { pagePlot } from '../../src/evaluation/plots/sheet.ts'
import { defaultOperatingPoint } from '../../src/inference/decide.ts'
import { versionEvaluations } from '../../views/evaluations/list.ts'
import { evaluationPage } from '../../views/evaluations/show.ts'
import * as sample from './samples.ts'

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`
const classes = ['NORMAL', HOSTILE].map((label, k) => ({ label, positive: k === 1 }))
const truth = Array.from({ length: 40 }, (_, i) => [i % 2])
const outputs = {
  kind: 'binary',
  truth,
  logits: truth.map(([is = 0], i) => [2 * is - 2 + 2 * uniformAt(1, i)]),
} as const
const point = defaultOperatingPoint('binary', classes)
const measured = assess({
  classes,
  outputs,
  testSet: HOSTILE,
  calibration: null,
  points: [point],
  point,
})
const { answers: _, ...assessment } = measured
const figures = figuresOf(measured, { outputs, temperature: null })

const evaluation: Evaluation = {
  id: 'e1',
  version: HOSTILE,
  sha256: '0'.repeat(64),
  dataset: HOSTILE,
  split: 'test',
  metrics: assessment.metrics,
  isEvidence: true,
  report: {
    assessment,
    figures,
    warnings: [HOSTILE],
    leftOut: { count: 1, files: [{ file: HOSTILE, reason: HOSTILE }] },
    seconds: 3,
  },
  at: '2026-03-03T14:05:00.000Z',
  by: HOSTILE,
  via: 'page',
}
const frame = { path: '/models', product: '1' }
const plots = resultPlots(figures).map((plot) => {
  return { name: plot.name, title: plot.title, drawing: pagePlot(plot) }
})
const text = String(evaluationPage({ frame, version: sample.version(), evaluation, plots }))

test('whatever a label, file or reason holds is shown as text', () => {
  const running = { dataset: HOSTILE, done: 1, total: 3, failure: null }
  const failed = { ...running, failure: HOSTILE }
  const datasets = [{ path: HOSTILE }]
  const sections = [running, failed].map((state) =>
    String(
      html`${versionEvaluations(sample.version(), { items: [evaluation], running: state, datasets })}`,
    ),
  )
  for (const one of [text, ...sections]) {
    assert.ok(!one.includes('<script>alert'), 'a script got through')
    assert.ok(!one.includes('<img src=x'), 'an element got through')
  }
})

test('a drawing in a page is the one of the files: the same elements, with a name and without inline style', () => {
  const page = parse(text)
  const drawings = page.querySelectorAll('svg.plot')
  assert.equal(drawings.length, 4)
  for (const [k, drawing] of drawings.entries()) {
    assert.equal(drawing.getAttribute('role'), 'img')
    assert.ok((drawing.getAttribute('aria-label') ?? '').length > 20)
    assert.equal(drawing.querySelectorAll('*').length, count(plots[k]?.drawing) - 1)
    assert.equal(drawing.querySelectorAll('[style]').length, 0)
  }
})

test('each of its tables has a name of its own', () => {
  const names = parse(text)
    .querySelectorAll('[role=region]')
    .map((one) => one.getAttribute('aria-label'))
  assert.ok(names.length >= 2)
  assert.equal(new Set(names).size, names.length)
})

function count(node: unknown): number {
  const children = (node as { children?: unknown[] }).children ?? []
  return typeof node === 'string'
    ? 0
    : 1 + children.reduce<number>((sum, one) => sum + count(one), 0)
}

test('while an evaluation runs the section says how far it is and asks again; else it offers to begin one', () => {
  const shown = (running?: { failure: string | null }) =>
    String(
      versionEvaluations(sample.version(), {
        items: [],
        running: running && { dataset: 'chest', done: 3, total: 8, ...running },
        datasets: [],
      }),
    )
  assert.match(shown({ failure: null }), /hx-trigger="every 2s"[\s\S]*3 of 8 images of chest/)
  assert.doesNotMatch(shown({ failure: null }), /<form/)
  assert.match(shown({ failure: 'It failed.' }), /It failed\.[\s\S]*<form/)
  assert.match(shown(), /None yet[\s\S]*<form[^>]* action="\/models\/[^"]+\/evaluations"/)
})
