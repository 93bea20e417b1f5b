// Several architectures trained one after another by one command, and compared; then the same from stored results.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { ComparisonResults } from '../../src/evaluation/comparison/comparison-results.ts'
import { homeFolders } from '../support/home.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import { roentgen, roentgenJson } from './run-cli.ts'

test('compare trains architectures with one seed and split, and leaves results, tables and plots', async (t) => {
  const { env, root } = await homeFolders(t)
  const run = { env, cwd: root }
  await drawDataset(join(root, 'spots'), 30)
  const words = ['compare', '--condition', 'spots', '--dataset', 'spots', '--epochs', '1']
  const small = ['--image-size', '32', '--batch-size', '8', '--preset', 'quick', '--seed', '42']
  const results = await roentgenJson<ComparisonResults>(
    [...words, ...small, '--architectures', 'tiny_cnn', 'tiny_mobilenet', '--output-dir', 'out'],
    run,
  )
  assert.deepEqual(
    results.models.map(({ id }) => id),
    ['spots/tiny-cnn-quick@1', 'spots/tiny-mobilenet-quick@1'],
  )
  assert.ok(results.testSet !== null && results.pairs.length === 1)
  assert.ok(results.models.every(({ configuration }) => configuration.seed === 42))
  const files = await readdir(join(root, 'out'))
  for (const name of ['comparison_results.json', 'comparison_table.csv', 'comparison_tables.tex']) {
    assert.ok(files.includes(name), name)
  }
  const again = await roentgen(
    ['compare', '--results', 'out/comparison_results.json', '--output-dir', 'again'],
    run,
  )
  assert.equal(again.status, 0, again.stderr)
  assert.deepEqual((await readdir(join(root, 'again'))).sort(), files.sort())
})

test('compare says what it needs, in one line', async (t) => {
  const { env } = await homeFolders(t)
  for (const [words, said] of [
    [[], /Specify what to compare/],
    [['--architectures', 'tiny_cnn'], /Specify what to train on/],
    [['--results', 'none.json'], /cannot be read/],
    [['--versions', 'spots/tiny@1'], /spots/],
    [['image.png', '--a', 'x/y@1'], /give --condition, --a and --b/],
  ] as const) {
    const { status, stderr } = await roentgen(['compare', ...words], { env })
    assert.equal(status, 1, words.join(' '))
    assert.match(stderr, said)
    assert.equal(stderr.trim().split('\n').length, 1)
  }
})
