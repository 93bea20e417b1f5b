// Which image goes where: stratified, by patient, reproducible.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SPLITS, type Splittable, splitImages } from '../../../src/training/dataset/split.ts'

function images(
  count: number,
  change: (i: number) => Partial<Splittable> = () => ({}),
): Splittable[] {
  return Array.from({ length: count }, (_, i) => ({
    sha256: `hash ${i}`,
    classes: [i % 4 === 0 ? 1 : 0],
    group: null,
    given: null,
    ...change(i),
  }))
}

test('every split has the same share of each class', () => {
  const items = images(400)
  const { splits } = splitImages(items, 42)
  for (const split of SPLITS) {
    const members = items.filter((_, at) => splits[at] === split)
    const rare = members.filter(({ classes }) => classes[0] === 1).length
    assert.ok(Math.abs(rare / members.length - 1 / 4) < 0.02, split)
  }
  assert.equal(splits.filter((split) => split === 'train').length, 400 * 0.65)
  assert.equal(splits.filter((split) => split === 'test').length, 400 * 0.15)
})

test('all images of a patient are on one side', () => {
  const items = images(300, (i) => ({ group: `patient ${i % 70}` }))
  const { splits } = splitImages(items, 42)
  const sides = Map.groupBy(items.keys(), (at) => items[at]?.group)
  for (const members of sides.values()) {
    assert.equal(new Set(members.map((at) => splits[at])).size, 1)
  }
  assert.equal(new Set(splits).size, 4)
})

test('neither order nor other images move an image, another seed does', () => {
  const items = images(200)
  const { splits } = splitImages(items, 42)
  const backwards = splitImages(items.toReversed(), 42).splits.toReversed()
  assert.deepEqual(backwards, splits)
  assert.notDeepEqual(splitImages(items, 43).splits, splits)
})

test('a given test split is kept whole, a given validation split stops and calibrates', () => {
  const items = images(300, (i) => ({
    given: i < 200 ? 'train' : i < 250 ? 'validation' : 'test',
  }))
  const { splits } = splitImages(items, 42)
  assert.deepEqual(new Set(splits.slice(0, 200)), new Set(['train']))
  assert.deepEqual(new Set(splits.slice(200, 250)), new Set(['validation', 'calibration']))
  assert.deepEqual(new Set(splits.slice(250)), new Set(['test']))
})

test('a dataset with train and validation only is tested on half of the validation, and says so', () => {
  const items = images(300, (i) => ({ given: i < 255 ? 'train' : 'validation' }))
  const { splits, notes } = splitImages(items, 42)
  assert.deepEqual(new Set(splits.slice(0, 255)), new Set(['train', 'validation']))
  assert.deepEqual(new Set(splits.slice(255)), new Set(['calibration', 'test']))
  assert.match(notes.join(' '), /no test split/)
})

test('a patient on both sides of a given split is pointed out', () => {
  const items = images(300, (i) => ({
    given: i < 200 ? 'train' : 'test',
    group: i === 10 || i === 290 ? 'patient 1' : null,
  }))
  assert.match(splitImages(items, 42).notes.join(' '), /1 patients have images in more than one/)
})
