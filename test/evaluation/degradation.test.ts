// The warnings of an evaluation: what is worse beyond chance is said first and plainly, and nothing is said without ground.
import assert from 'node:assert/strict'
import test from 'node:test'
import { uniformAt } from '../../src/engine/random/counter-random.ts'
import { assess } from '../../src/evaluation/assess.ts'
import { evaluationWarnings } from '../../src/evaluation/degradation.ts'
import { defaultOperatingPoint } from '../../src/inference/decide.ts'

const CLASSES = [
  { label: 'NORMAL', positive: false },
  { label: 'PNEUMONIA', positive: true },
]

/** The larger `gap`, the better its logits tell the two kinds apart. */
function images(o: { seed: number; n: number; gap: number; kinds?: 1 | 2; testSet?: string }) {
  const { seed, n, gap, kinds = 2, testSet = `set ${seed}` } = o
  const truth = Array.from({ length: n }, (_, i) => [kinds === 2 ? i % 2 : 0])
  const logits = truth.map(([is = 0], i) => [gap * (is - 0.5) + 6 * (uniformAt(seed, i) - 0.5)])
  const point = defaultOperatingPoint('binary', CLASSES)
  const outputs = { kind: 'binary', truth, logits } as const
  return assess({ classes: CLASSES, outputs, testSet, calibration: null, points: [point], point })
}

const own = images({ seed: 1, n: 300, gap: 5 })

test('a version that ranks by chance elsewhere is said to fall apart, with both figures', () => {
  const here = images({ seed: 2, n: 300, gap: 0 })
  const [first = '', second = ''] = evaluationWarnings({ here, own, isFamiliar: false })
  assert.match(
    first,
    /^Performance on these images is much worse.*AUC 0\.\d{3} \(0\.\d{3} to 0\.\d{3}\) vs 0\.9\d{2}/,
  )
  assert.match(first, /sensitivity .* vs .*specificity .* vs/)
  assert.match(second, /no better than chance/)
})

test('a version that does as well elsewhere is not accused of anything', () => {
  const here = images({ seed: 3, n: 300, gap: 5 })
  assert.deepEqual(evaluationWarnings({ here, own, isFamiliar: false }), [])
})

test('a difference that few images may show by chance is no accusation, but their number is told', () => {
  const here = images({ seed: 4, n: 24, gap: 4.2 })
  const warnings = evaluationWarnings({ here, own, isFamiliar: false })
  assert.deepEqual(
    warnings.filter((one) => one.startsWith('Performance on these images')),
    [],
  )
  assert.match(warnings.join(' '), /Only 24 images/)
})

test('what the images cannot tell is said: a kind that is missing, a package that is silent', () => {
  const here = images({ seed: 5, n: 120, gap: 5, kinds: 1 })
  const warnings = evaluationWarnings({ here, own: null, isFamiliar: false })
  assert.match(warnings.join(' '), /No image shows PNEUMONIA/)
  assert.match(warnings.join(' '), /no internal test results to compare with/)
})

test('images that it has learnt from are counted and said before all else', () => {
  const here = images({ seed: 7, n: 300, gap: 5 })
  const [first] = evaluationWarnings({ here, own, isFamiliar: true, learntFrom: 210 })
  assert.equal(
    first,
    'It was trained on 210 of these 300 images, so the results are optimistic. Exclude them.',
  )
})

test('its own test images, or others of its dataset, are told apart from another hospital’s', () => {
  const same = evaluationWarnings({ here: own, own, isFamiliar: true })
  assert.deepEqual(same, [
    'These are the internal test images: results may not transfer to other sites.',
  ])
  const familiar = evaluationWarnings({
    here: images({ seed: 6, n: 300, gap: 5 }),
    own,
    isFamiliar: true,
  })
  assert.match(familiar.join(' '), /Trained on other images of this dataset/)
})
