// Numbers, times and addresses as people read them.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as format from '../../views/shared/format.ts'
import { links } from '../../views/shared/links.ts'

test('a probability near certainty is never shown as certainty', () => {
  assert.equal(format.percent(0.99999), '>99.9%')
  assert.equal(format.percent(0.00001), '<0.1%')
  assert.equal(format.percent(1), '100.0%')
  // A probability of exactly 1 or 0 is a rounded number: no certainty is printed.
  assert.equal(format.probability(1), '>99.9%')
  assert.equal(format.probability(0), '<0.1%')
  assert.equal(format.probability(0.912), '91.2%')
  assert.equal(format.percent(0.912), '91.2%')
  assert.equal(format.percent(null), '–')
})

test('a difference carries its sign, and none when it rounds to nothing', () => {
  assert.equal(format.points(0.65), '+65.0 points')
  assert.equal(format.points(-0.031), '−3.1 points')
  assert.equal(format.points(-0.0001), '±0.0 points')
})

test('sizes, durations and scores are short', () => {
  assert.equal(format.bytes(1023), '1023 B')
  assert.equal(format.bytes(1.5 * 1024 * 1024), '1.5 MiB')
  assert.equal(format.milliseconds(0.72), '0.7 ms')
  assert.equal(format.milliseconds(31.4), '31 ms')
  assert.equal(format.milliseconds(12_340), '12.3 s')
  assert.equal(format.score(-4.23456), '−4.235')
})

test('a time keeps its offset and says UTC only when it is', () => {
  assert.equal(format.timestamp('2026-11-20T18:47:03.123Z'), '2026-11-20 18:47:03 UTC')
  assert.equal(format.timestamp('2026-11-20T19:47:03+01:00'), '2026-11-20 19:47:03 +01:00')
  assert.equal(format.timestamp('yesterday'), 'yesterday')
})

test('a version id becomes three segments of a path, and a query leaves out what is empty', () => {
  assert.equal(links.version('pneumonia/tiny-cnn@3'), '/models/pneumonia/tiny-cnn/3')
  assert.equal(links.models({ q: 'a b', sort: '', order: undefined }), '/models?q=a+b')
  assert.equal(links.condition('a/b', { at: null }), '/conditions/a%2Fb')
})
