// What a reader is told: decision, calibrated probability and raw score are three things; evidence is on an absolute scale.
import assert from 'node:assert/strict'
import test from 'node:test'
import { parse } from 'node-html-parser'
import sharp from 'sharp'
import { heatmapPng } from '../../src/imaging/heatmap.ts'
import { compareResult } from '../../views/comparisons/show.ts'
import { predictionResult } from '../../views/predictions/result.ts'
import { LEGEND_STOPS, overlayOpacity } from '../../views/shared/viewer.ts'
import { modelPage } from '../../views/versions/show.ts'
import { predictionProps } from './pages.ts'
import { comparison, frame, NOTICE, negative, pneumonia, prediction, version } from './samples.ts'

const show = (change: Partial<typeof predictionProps> = {}) =>
  parse(String(predictionResult({ ...predictionProps, ...change })))

test('decision, calibrated probability and raw score are shown apart and named so', () => {
  const root = show()
  assert.match(
    root.querySelector('.decision')?.text ?? '',
    /Decision[\s\S]*PNEUMONIA[\s\S]*Positive finding/,
  )
  assert.match(
    root.querySelector('.probabilities')?.text ?? '',
    /Calibrated probability[\s\S]*91\.0%/,
  )
  assert.match(root.querySelector('.raw-scores')?.text ?? '', /Raw scores[\s\S]*0\.99[\s\S]*4\.2/)
  assert.doesNotMatch(root.querySelector('.decision')?.text ?? '', /91/)
})

test('scores of a version without calibration are not called probabilities', () => {
  const text = show({ prediction: { ...prediction(), calibration: null } }).text
  assert.match(text, /Score \(not calibrated\)/)
  assert.doesNotMatch(text, /Calibrated probability/)
})

test('the threshold is a mark on the bar and a word below it', () => {
  const bars = show().querySelectorAll('.bar')
  assert.equal(bars[0]?.querySelector('.bar-fill')?.getAttribute('width'), '91.00%')
  assert.equal(bars[0]?.querySelector('.bar-threshold')?.getAttribute('x'), '37.00%')
  assert.match(bars[0]?.text ?? '', /at or above the threshold of 37\.0%/)
  assert.equal(bars[1]?.querySelector('.bar-threshold'), null)
})

test('a positive finding is told by word and sign, not by colour alone', () => {
  assert.match(show().querySelector('.decision-state')?.text ?? '', /^Positive finding$/)
  const other = show({ prediction: negative }).querySelector('.decision-state')
  assert.match(other?.text ?? '', /^No positive finding$/)
})

test('a version without calibration says that its probabilities are raw', () => {
  assert.match(
    show({ prediction: negative }).querySelector('.probabilities')?.text ?? '',
    /Not calibrated/,
  )
})

test('thresholds of a version without calibration are not called calibrated', () => {
  const points = (changes: object) => {
    const shown = { frame, condition: pneumonia, siblings: [], activations: [] }
    const page = modelPage({ ...shown, version: { ...version(), ...changes } })
    return parse(String(page)).querySelector('[aria-label="Operating points"]')?.text ?? ''
  }
  assert.match(points({}), /Thresholds on calibrated probability/)
  assert.match(points({ calibration: null }), /Thresholds on raw score/)
})

test('weak evidence is said beside the map and on the film', () => {
  const root = show({ prediction: negative })
  assert.match(root.querySelector('.film-note')?.text ?? '', /Weak evidence/)
  assert.match(root.querySelector('.legend')?.text ?? '', /No region stands out/)
  assert.doesNotMatch(show().text, /[Ww]eak evidence/)
})

test('a result names version, digest, operating point, timings, warnings and the notice of its package', () => {
  const text = show().text
  for (const part of [
    'pneumonia/tiny-cnn@2',
    prediction().sha256,
    'specificity ≥ 0.95',
    'total 31 ms',
    'several pages',
    NOTICE,
  ]) {
    assert.ok(text.includes(part), part)
  }
})

test('a comparison says where the two differ, largest difference first', () => {
  const root = parse(String(compareResult(comparison)))
  assert.match(
    root.querySelector('.verdict')?.text ?? '',
    /Disagreement: A predicts PNEUMONIA, B predicts NORMAL/,
  )
  assert.deepEqual(
    root.querySelectorAll('.delta').map((one) => one.text),
    ['+65.0 points', '−65.0 points'],
  )
  assert.equal(
    root.querySelector('a[href*="left=p_2"]')?.getAttribute('href'),
    '/compare?left=p_2&amp;right=p_1'.replace('&amp;', '&'),
  )
})

test('both maps of a comparison are asked for at the scale that they share', () => {
  const root = parse(String(compareResult(comparison)))
  const drawn = root.querySelectorAll('.film-heat').map((one) => one.getAttribute('src'))
  assert.deepEqual(drawn, [
    '/api/v1/predictions/p_1/heatmap.png?scale=4.2',
    '/api/v1/predictions/p_2/heatmap.png?scale=2.8',
  ])
})

test('the legend has the colours and opacities that the overlay is drawn with', async () => {
  for (const [value, colour] of LEGEND_STOPS) {
    const opacity = overlayOpacity(value)
    const grid = new Float32Array(4).fill(value * 3.5)
    const png = heatmapPng({ grid, gridWidth: 2, gridHeight: 2, scale: 3.5, width: 4, height: 4 })
    const [r, g, b, alpha] = await sharp(png).ensureAlpha().raw().toBuffer()
    const wanted = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
    assert.ok(Math.abs((alpha ?? 0) / 255 - opacity) < 0.01, `${value}: opacity ${alpha}`)
    for (const [index, channel] of [r, g, b].entries()) {
      assert.ok(Math.abs((channel ?? 0) - (wanted[index] ?? 0)) <= 2, `${value}: ${r},${g},${b}`)
    }
  }
})

test('a notice that is also a warning is said once', () => {
  const warnings = [NOTICE.toUpperCase().replace('.', ''), 'Another thing.']
  const text = show({ prediction: prediction({ warnings }) }).text
  assert.equal(text.toLowerCase().split('not for use on patients').length, 2)
  assert.match(text, /Another thing\./)
})
