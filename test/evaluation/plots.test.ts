// Plots as files and in pages: one drawing for all, readable without colour, with the figures of the report in them.
import assert from 'node:assert/strict'
import test from 'node:test'
import { crc32 } from 'node:zlib'
import { uniformAt } from '../../src/engine/random/counter-random.ts'
import { evaluate } from '../../src/evaluation/evaluate.ts'
import type { Plot, PlotNode } from '../../src/evaluation/plots/node.ts'
import { figuresOf, historyPlots, resultPlots } from '../../src/evaluation/plots/result-plots.ts'
import { seriesStyle } from '../../src/evaluation/plots/series.ts'
import { filePlot, pagePlot, svgText } from '../../src/evaluation/plots/sheet.ts'
import { plotFiles } from '../../src/evaluation/plots/write-plots.ts'
import type { Outputs } from '../../src/evaluation/probabilities.ts'
import { embeddedPdfText } from '../support/pdf-text.ts'

const HOSTILE = `<script>alert("1")</script> & "Bacterial' pneumonia\u0000`

function outputs(kind: Outputs['kind'], labels: number): Outputs {
  const truth = Array.from({ length: 160 }, (_, i) => {
    if (kind === 'binary') return [i % 2]
    return Array.from({ length: labels }, (_, k) =>
      kind === 'single-label' ? Number(i % labels === k) : Number(uniformAt(3, i, k) < 0.3),
    )
  })
  const logits = truth.map((row, i) => row.map((is, k) => 3 * is - 1.5 + 5 * uniformAt(4, i, k)))
  return { kind, truth, logits: logits.map((row) => row.map((z) => z - 2.5)) }
}

function plotsOf(kind: Outputs['kind'], labels: readonly string[]): Plot[] {
  const classes = labels.map((label, k) => ({ label, positive: kind !== 'binary' || k === 1 }))
  const test = outputs(kind, labels.length)
  const found = evaluate({ classes, calibration: test, test, testSet: 'x' })
  return resultPlots(
    figuresOf(found, { outputs: test, temperature: found.calibration?.temperature ?? null }),
  )
}

const KINDS = {
  binary: ['NORMAL', HOSTILE],
  'single-label': ['AKIEC', 'BCC', 'BKL', 'DF', 'MEL', 'NV', 'VASC'],
  'multi-label': Array.from({ length: 14 }, (_, k) => `finding number ${k}`),
} as const
const history = Array.from({ length: 6 }, (_, i) => ({
  epoch: i + 1,
  trainLoss: 1 / (i + 1),
  trainAccuracy: 0.5 + i / 12,
  valLoss: 1.1 / (i + 1),
  valAccuracy: 0.5 + i / 13,
}))
const curves = historyPlots({ history, bestEpoch: 5 })

function everyNode(node: PlotNode): PlotNode[] {
  const inner = node.children.filter((child) => typeof child !== 'string')
  return [node, ...inner.flatMap(everyNode)]
}

test('a run has the plots of the contract, by their names', () => {
  assert.deepEqual(
    [...curves, ...plotsOf('binary', KINDS.binary)].map(({ name }) => name),
    [
      'training_curves',
      'loss_curve',
      'accuracy_curve',
      'confusion_matrix',
      'roc',
      'pr',
      'reliability',
    ],
  )
})

for (const [kind, labels] of Object.entries(KINDS)) {
  const plots = [...curves, ...plotsOf(kind as Outputs['kind'], labels)]

  test(`every number of a drawing is one, and nothing lies outside its sheet: ${kind}`, () => {
    for (const plot of plots) {
      const nodes = everyNode(filePlot(plot, 'a model'))
      const text = svgText(pagePlot(plot))
      assert.doesNotMatch(text, /NaN|Infinity|undefined|null/, plot.name)
      for (const { tag, attributes } of nodes) {
        if (tag !== 'text' && tag !== 'rect') continue
        const [x, y] = [Number(attributes.x), Number(attributes.y)]
        assert.ok(x >= 0 && x <= plot.width + 16, `${plot.name}: x ${x} of ${plot.width}`)
        assert.ok(y >= 0 && y <= plot.height + 52, `${plot.name}: y ${y} of ${plot.height}`)
      }
    }
  })

  test(`a drawing has no style attribute, script or link, whatever a label holds: ${kind}`, () => {
    for (const plot of plots) {
      const text = svgText(pagePlot(plot))
      assert.doesNotMatch(text, /<script|style=|href| on[a-z]+=/i)
      assert.ok(!text.includes('\u0000'))
      for (const { tag } of everyNode(pagePlot(plot))) {
        assert.match(tag, /^(svg|g|path|rect|line|text)$/)
      }
    }
  })
}

test('every series has a dash and marker of its own, so that it can be told without colour', () => {
  const looks = Array.from({ length: 49 }, (_, k) => {
    const { colour, dash, symbol } = seriesStyle(k)
    return { grey: `${dash} ${symbol} ${k % 7}`, colour }
  })
  assert.equal(new Set(looks.map(({ grey, colour }) => grey + colour)).size, 49)
  const first = looks.slice(0, 7).map((_, k) => seriesStyle(k))
  assert.equal(new Set(first.map(({ dash }) => dash)).size, 7)
  assert.equal(new Set(first.map(({ symbol }) => symbol)).size, 7)
})

test('the plot in words has its figures, for whoever cannot see it', () => {
  const [confusion, roc, , reliability] = plotsOf('single-label', KINDS['single-label'])
  assert.match(confusion?.description ?? '', /^\d+ of 160 right; AKIEC \d+ of 23 right/)
  assert.match(roc?.description ?? '', /MEL AUC 0\.\d{3} \(0\.\d{3} to 0\.\d{3}\)/)
  assert.match(reliability?.description ?? '', /expected calibration error 0\.\d{3}/)
  assert.match(String(pagePlot(roc as Plot).attributes['aria-label']), /^ROC curve: /)
})

test('files are PNG at 300 dpi and PDF with text as text, the same bytes each time', async () => {
  const [confusion] = plotsOf('single-label', KINDS['single-label'])
  assert.ok(confusion)
  const files = await plotFiles([confusion], 'skin-lesion/tiny-cnn')
  assert.deepEqual(Object.keys(files), ['confusion_matrix.png', 'confusion_matrix.pdf'])
  const png = Buffer.from(files['confusion_matrix.png'] ?? [])
  const at = png.indexOf('pHYs')
  const perMetre = Math.round(300 / 0.0254)
  assert.deepEqual(
    [png.readUInt32BE(at + 4), png.readUInt32BE(at + 8), png[at + 12]],
    [perMetre, perMetre, 1],
  )
  assert.equal(png.readUInt32BE(at + 13), crc32(png.subarray(at, at + 13)))
  const width = png.readUInt32BE(16)
  assert.ok(Math.abs(width - ((confusion.width + 16) * 300) / 72) <= 1, `${width} pixels wide`)
  const text = embeddedPdfText(files['confusion_matrix.pdf'] ?? new Uint8Array())
  for (const words of ['Confusion matrix', 'skin-lesion/tiny-cnn', 'MEL', 'predicted']) {
    assert.ok(text.includes(words), `${words} is not in the text of the PDF`)
  }
  assert.deepEqual(await plotFiles([confusion], 'skin-lesion/tiny-cnn'), files)
})

test('a test split without a positive image still gives its plots', () => {
  const truth = Array.from({ length: 30 }, () => [0])
  const none: Outputs = { kind: 'binary', truth, logits: truth.map((_, i) => [i / 10 - 2]) }
  const classes = KINDS.binary.map((label, k) => ({ label, positive: k === 1 }))
  const found = evaluate({ classes, calibration: none, test: none, testSet: 'x' })
  const plots = resultPlots(figuresOf(found, { outputs: none, temperature: null }))
  assert.match(plots[1]?.description ?? '', /AUC unknown/)
  for (const plot of plots) assert.doesNotMatch(svgText(pagePlot(plot)), /NaN|Infinity/)
})

test('one epoch is drawn, and none gives no curve', () => {
  for (const plot of historyPlots({ history: history.slice(0, 1), bestEpoch: 1 })) {
    assert.doesNotMatch(svgText(pagePlot(plot)), /NaN|Infinity/)
  }
  assert.deepEqual(historyPlots({ history: [], bestEpoch: null }), [])
})
