// Several models held against each other: the statistics by arithmetic, the files from real packages, and the same again
// from stored results alone.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { type ComparisonSource, compareModels } from '../../src/evaluation/comparison/collect.ts'
import { comparedPairs, holm } from '../../src/evaluation/comparison/compared-pairs.ts'
import {
  type ComparisonResults,
  parseComparison,
} from '../../src/evaluation/comparison/comparison-results.ts'
import { comparisonSource } from '../../src/evaluation/comparison/comparison-source.ts'
import { meanCurve } from '../../src/evaluation/comparison/mean-curve.ts'
import { isBetter } from '../../src/evaluation/comparison/summary.ts'
import { latex, latexTables, modelsCsv } from '../../src/evaluation/comparison/tables.ts'
import { writeComparison } from '../../src/evaluation/comparison/write-comparison.ts'

const STORE = fileURLToPath(new URL('../../models/', import.meta.url))
const SUBJECT = {
  condition: 'pneumonia',
  kind: 'binary',
  classes: [
    { label: 'NORMAL', positive: false },
    { label: 'PNEUMONIA', positive: true },
  ],
  createdAt: '2026-03-03T14:05:00.000Z',
} as const

async function sources(testSets: readonly string[]): Promise<ComparisonSource[]> {
  const names = ['tiny-cnn-demo', 'tiny-mobilenet-demo']
  return Promise.all(
    names.map((name, i) => {
      const packageDir = join(STORE, 'pneumonia', name, 'v1')
      const testSet = testSets[i] ?? null
      return comparisonSource({ id: `pneumonia/${name}@1`, packageDir, testSet }, 1)
    }),
  )
}

let made: Promise<ComparisonResults> | undefined
const compared = () => {
  made ??= sources(['one', 'one']).then((found) => compareModels(found, SUBJECT))
  return made
}

test('Holm multiplies the smallest p by the number of tests, the next by one less, and never falls', () => {
  assert.deepEqual(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
  assert.deepEqual(holm([0.9, 0.8]), [1, 1])
  assert.deepEqual(holm([]), [])
})

test('curves of several classes become the mean of their heights', () => {
  const step = [
    [0, 0],
    [0, 1],
    [1, 1],
  ] as const
  const chance = [
    [0, 0],
    [1, 1],
  ] as const
  const mean = meanCurve([step, chance])
  assert.deepEqual(mean[0], [0, (1 + 0) / 2])
  assert.deepEqual(mean[100], [0.5, (1 + 0.5) / 2])
  assert.deepEqual(mean.at(-1), [1, 1])
  assert.deepEqual(meanCurve([step]), step)
  assert.deepEqual(meanCurve([]), [])
})

test('a pair counts who is right where the other is wrong, and names nobody better by chance', () => {
  const said = (right: readonly boolean[]) =>
    new Map(
      right.map((is, i) => {
        const p = is ? 0.9 : 0.1
        const label = is ? 'B' : 'A'
        return [`${i}`, { label, truth: 'B', probabilities: { A: 1 - p, B: p } }]
      }),
    )
  const few = [
    { id: 'x', said: said([true, true, false, false]) },
    { id: 'y', said: said([true, true, true, false]) },
  ]
  const of = { labels: ['A', 'B'], curveLabel: 'B', isMulti: false }
  const [pair] = comparedPairs(few, of)
  assert.equal(pair?.accuracyDifference.value, 3 / 4 - 2 / 4)
  assert.equal(pair?.agreement, 3 / 4)
  assert.equal(pair?.accuracyP, 1)
  assert.ok(pair && !isBetter([pair], { id: 'y', than: 'x' }))
  const twenty = (share: number) => said(Array.from({ length: 20 }, (_, i) => i < share))
  const many = comparedPairs(
    [
      { id: 'x', said: twenty(5) },
      { id: 'y', said: twenty(15) },
    ],
    of,
  )
  // Ten for y and none for x: twice one half to the tenth.
  assert.ok(Math.abs((many[0]?.accuracyP ?? 1) - 2 / 2 ** 10) < 1e-9)
  assert.ok(isBetter(many, { id: 'y', than: 'x' }))
  assert.ok(!isBetter(many, { id: 'x', than: 'y' }))
})

test('packages of one test set give figures with intervals, a paired test and careful words', async () => {
  const results = await compared()
  const [cnn] = results.models
  const manifest = JSON.parse(
    await readFile(join(STORE, 'pneumonia/tiny-cnn-demo/v1/manifest.json'), 'utf8'),
  )
  assert.equal(cnn?.metrics.accuracy?.value, manifest.metrics.accuracy)
  const [low = 1, high = 0] = cnn?.metrics.accuracy?.interval ?? []
  assert.ok(low < manifest.metrics.accuracy && manifest.metrics.accuracy < high)
  assert.equal(results.pairs[0]?.n, results.images)
  assert.ok((results.pairs[0]?.aucP ?? 0) > 0)
  assert.equal(results.summary.conclusions.length, 2)
  assert.deepEqual(parseComparison(JSON.stringify(results)), results)
})

test('models that were measured on other images are not tested against each other', async () => {
  const results = await compareModels(await sources(['one', 'another']), SUBJECT)
  assert.deepEqual(results.pairs, [])
  assert.equal(results.testSet, null)
  assert.match(results.summary.conclusions[0] ?? '', /Different test sets/)
})

test('all files are made again from the stored results alone, the same to the byte', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'roentgen-comparison-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const [first, second] = [join(root, 'first'), join(root, 'second')]
  const names = await writeComparison(await compared(), first)
  const stored = await readFile(join(first, 'comparison_results.json'), 'utf8')
  await writeComparison(parseComparison(stored), second)
  assert.deepEqual((await readdir(second)).sort(), [...names].sort())
  // PDFs bear the time at which they were made.
  for (const name of names.filter((one) => !one.endsWith('.pdf'))) {
    const [one, other] = await Promise.all([first, second].map((dir) => readFile(join(dir, name))))
    assert.ok(one && other?.equals(one), name)
  }
  for (const plot of [
    'loss',
    'accuracy',
    'roc',
    'pr',
    'calibration',
    'reliability',
    'accuracy_parameters',
  ]) {
    for (const ending of ['png', 'pdf', 'svg']) {
      assert.ok(names.includes(`comparison_${plot}.${ending}`), `${plot}.${ending}`)
    }
  }
})

test('tables have a line for each model; LaTeX is escaped and balanced', async () => {
  const results = await compared()
  assert.equal(modelsCsv(results).trim().split('\n').length, 1 + 2)
  const text = latexTables(results)
  assert.match(text, /\\toprule[\s\S]*tiny\\_cnn & 0\.1 & 0\.914 \[/)
  assert.equal(text.split('\\begin{').length, text.split('\\end{').length)
  assert.equal(
    latex('50 % of a_b & {x} \\ ü 中'),
    '50 \\% of a\\_b \\& \\{x\\} \\textbackslash{} ü ?',
  )
})

test('results that are none of Roentgen’s are refused with a sentence', () => {
  for (const text of ['', 'no json', '{}', '[]', '{"schema":1,"models":[]}', '{"schema":9}']) {
    assert.throws(() => parseComparison(text), { code: 'invalid', message: /^[A-Z].*\.$/ }, text)
  }
})
