// Folders of labelled images as people keep them, scanned and prepared.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after } from 'node:test'
import { decodeImage } from '../../../src/imaging/decode.ts'
import { preprocess } from '../../../src/imaging/preprocess.ts'
import type { Preprocessing } from '../../../src/imaging/preprocessing.ts'
import { keptPng } from '../../../src/imaging/rendition.ts'
import { prepareDataset } from '../../../src/training/dataset/prepare.ts'
import { openPrepared } from '../../../src/training/dataset/prepared.ts'
import { scanDataset } from '../../../src/training/dataset/scan.ts'
import { patientsOf } from '../../../src/training/record/card/model-card.ts'
import { sharedPath, skipWithout } from '../../support/shared.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-dataset-'))
after(() => rm(root, { recursive: true, force: true }))

const preprocessing: Preprocessing = {
  schema: 1,
  width: 16,
  height: 16,
  channels: 1,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  scale: 1 / 127.5,
  mean: [1],
  std: [1],
  order: 'rgb',
}

/** A small picture that no other `number` gives. */
async function picture(number: number): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: 20 * 20 }, (_, i) => (i * number + number * 7) % 251)
  return keptPng({ width: 20, height: 20, channels: 1, data, maxValue: 255 })
}

async function folder(
  name: string,
  files: Readonly<Record<string, number | string>>,
): Promise<string> {
  for (const [file, content] of Object.entries(files)) {
    const path = join(root, name, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, typeof content === 'number' ? await picture(content) : content)
  }
  return join(root, name)
}

/** `count` files of a class. */
function many(prefix: string, count: number, first: number): Record<string, number> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${prefix}${i}.png`, first + i]),
  )
}

test('class folders are classes', async () => {
  const dir = await folder('plain', { 'Normal/a.png': 1, 'Fractured/b.PNG': 2, 'notes.txt': 'x' })
  const scan = await scanDataset(dir)
  assert.equal(scan.layout, 'class folders')
  assert.deepEqual(scan.classes, [
    { label: 'Fractured', count: 1 },
    { label: 'Normal', count: 1 },
  ])
})

test('train, val and test folders are splits, at any depth and in any case', async () => {
  const dir = await folder('splits', {
    'chest_xray/TRAIN/NORMAL/a.png': 1,
    'chest_xray/Train/PNEUMONIA/person12_bacteria_3.png': 2,
    'chest_xray/val/NORMAL/c.png': 3,
    'chest_xray/test/PNEUMONIA/d.png': 4,
  })
  const scan = await scanDataset(dir)
  assert.equal(scan.layout, 'split folders')
  assert.deepEqual(
    scan.files.map(({ labels, split, group }) => [labels[0], split, group]),
    [
      ['NORMAL', 'train', null],
      ['PNEUMONIA', 'train', 'person12'],
      ['PNEUMONIA', 'test', null],
      ['NORMAL', 'validation', null],
    ],
  )
})

test('masks beside the images are no images', async () => {
  const dir = await folder('masks', {
    'images/A/1.png': 1,
    'images/B/2.png': 2,
    'masks/A/1.png': 3,
  })
  assert.equal((await scanDataset(dir)).files.length, 2)
})

test('a table beside the images gives labels and groups by file or bare name', async () => {
  const dir = await folder('ham', {
    'HAM10000_images/ISIC_1.png': 1,
    'HAM10000_images/ISIC_2.png': 2,
    'HAM10000_images/ISIC_3.png': 3,
    'HAM10000_metadata.csv':
      'lesion_id,image_id,dx,age\nHAM_7,ISIC_1,mel,50\nHAM_7,ISIC_2,mel,50\n"HAM_8",ISIC_3,nv,\n',
  })
  const scan = await scanDataset(dir)
  assert.equal(scan.layout, 'table')
  assert.deepEqual(
    scan.files.map(({ labels, group }) => [labels[0], group]),
    [
      ['mel', 'HAM_7'],
      ['mel', 'HAM_7'],
      ['nv', 'HAM_8'],
    ],
  )
})

test('a flag column is a finding and its denial', async () => {
  const dir = await folder('fracatlas', {
    'images/x/IMG1.png': 1,
    'images/x/IMG2.png': 2,
    'dataset.csv': 'image_id,hand,fractured\nIMG1.jpg,1,0\nIMG2.jpg,0,1\n',
  })
  const scan = await scanDataset(dir)
  assert.deepEqual(
    scan.files.map(({ labels }) => labels[0]),
    ['not fractured', 'fractured'],
  )
})

test('a folder that is missing or without images is refused in one sentence', async () => {
  await assert.rejects(scanDataset(join(root, 'nowhere')), /does not exist or may not be read/)
  const empty = await folder('empty', { 'readme.txt': 'x' })
  await assert.rejects(scanDataset(empty), /holds no image/)
})

test('prepared rows are exactly what serving computes', async () => {
  const dir = await folder('exact', { ...many('NORMAL/a', 12, 1), ...many('SICK/b', 12, 40) })
  const outDir = join(root, 'exact-prepared')
  await prepareDataset({ dir, outDir, name: 'exact', preprocessing, seed: 7 })
  const prepared = await openPrepared(outDir)
  const row = new Float32Array(prepared.rowLength)
  for (const image of prepared.index.images) {
    const bytes = await readFile(join(dir, image.file))
    const { pixels } = await decodeImage(bytes, { maxBytes: 1e6, maxPixels: 1e6 })
    prepared.read(image, row)
    assert.deepEqual(row, preprocess(pixels, preprocessing))
  }
  prepared.close()
})

test('broken files are set aside with a reason, repeated ones are kept once, contradictions not at all', async () => {
  const dir = await folder('messy', {
    ...many('NORMAL/a', 12, 1),
    ...many('SICK/b', 12, 40),
    'NORMAL/empty.png': '',
    'NORMAL/text.png': 'no image at all',
    'NORMAL/again.png': 3,
    'SICK/contradiction.png': 5,
  })
  await writeFile(join(dir, 'SICK/cut.png'), await picture(90))
  await truncate(join(dir, 'SICK/cut.png'), 60)
  const outDir = join(root, 'messy-prepared')
  const index = await prepareDataset({ dir, outDir, name: 'messy', preprocessing, seed: 7 })
  const aside = index.setAside.map(({ file }) => file).sort()
  assert.deepEqual(aside, [
    'NORMAL/a4.png',
    'NORMAL/empty.png',
    'NORMAL/text.png',
    'SICK/contradiction.png',
    'SICK/cut.png',
  ])
  assert.ok(index.setAside.every(({ reason }) => reason.length > 10 && !reason.includes(root)))
  assert.deepEqual(index.duplicates, [{ file: 'NORMAL/again.png', of: 'NORMAL/a2.png' }])
  assert.equal(index.images.length, 23)
})

test('the fingerprint depends on content, labels and seed, not on names or order', async () => {
  const one = await folder('first', { ...many('NORMAL/a', 15, 1), ...many('SICK/b', 15, 40) })
  const two = await folder('second', { ...many('NORMAL/z', 15, 1), ...many('SICK/b', 15, 40) })
  const prepare = (dir: string, seed: number) =>
    prepareDataset({ dir, outDir: `${dir}-p${seed}`, name: 'x', preprocessing, seed })
  const [first, renamed, other] = [
    await prepare(one, 7),
    await prepare(two, 7),
    await prepare(one, 8),
  ]
  assert.equal(first.fingerprint, renamed.fingerprint)
  assert.notEqual(first.fingerprint, other.fingerprint)
})

test('one class only, or classes that a condition does not have, cannot be trained on', async () => {
  const single = await folder('single', many('NORMAL/a', 5, 1))
  const options = { outDir: join(root, 'single-p'), name: 'x', preprocessing, seed: 7 }
  await assert.rejects(prepareDataset({ ...options, dir: single }), /at least two classes/)
  const other = await folder('other', { ...many('CAT/a', 5, 1), ...many('DOG/b', 5, 40) })
  const classes = {
    kind: 'binary' as const,
    classes: [
      { label: 'NORMAL', positive: false },
      { label: 'PNEUMONIA', positive: true },
    ],
  }
  await assert.rejects(
    prepareDataset({ ...options, dir: other, classes }),
    /No usable image of class "NORMAL"/,
  )
})

test('a dataset that was not prepared says so', async () => {
  await assert.rejects(openPrepared(join(root, 'nowhere')), /Dataset not prepared/)
})

test('real chest images with a table are grouped by patient', {
  skip: skipWithout('data/chest-xray-covid'),
}, async () => {
  const scan = await scanDataset(sharedPath('data/chest-xray-covid') ?? '')
  assert.deepEqual(scan.classes, [
    { label: 'Covid-19', count: 64 },
    { label: 'No_findings', count: 100 },
    { label: 'Pneumonia', count: 100 },
  ])
  assert.equal(scan.files.filter(({ group }) => group?.startsWith('p')).length, 64)
  assert.equal(scan.unlabelled.length, 15)
})

test('a given test split keeps its patients and images, and the training side loses what would tell them', async () => {
  const dir = await folder('leaky', {
    ...many('train/NORMAL/patient1_', 3, 1),
    ...many('train/NORMAL/patient2_', 12, 10),
    ...many('train/SICK/patient3_', 12, 40),
    ...many('test/NORMAL/patient1_x', 6, 60),
    ...many('test/SICK/patient4_', 6, 80),
    // The same file on both sides: the test keeps it.
    'train/SICK/copy.png': 80,
  })
  const outDir = join(root, 'leaky-prepared')
  const index = await prepareDataset({ dir, outDir, name: 'leaky', preprocessing, seed: 7 })
  const aside = index.setAside.filter(({ reason }) => reason.includes('same patient'))
  assert.deepEqual(
    aside.map(({ file }) => file).sort(),
    [0, 1, 2].map((n) => `train/NORMAL/patient1_${n}.png`),
  )
  assert.deepEqual(index.duplicates, [
    { file: 'train/SICK/copy.png', of: 'test/SICK/patient4_0.png' },
  ])
  assert.equal(index.images.filter(({ split }) => split === 'test').length, 12)
  const sides = Map.groupBy(index.images, ({ group }) => group)
  for (const images of sides.values()) {
    assert.equal(new Set(images.map(({ split }) => split === 'test')).size, 1)
  }
  assert.match(index.notes.join(), /3 images are left out because their patient/)
})

test('the sentence about patients follows from the split as it is', () => {
  const of = (group: string | null, split: 'train' | 'test') => ({ group, split })
  assert.match(patientsOf([of('a', 'train'), of('b', 'test')]), /of 2 .* each on one side/)
  assert.match(patientsOf([of('a', 'train'), of('a', 'test')]), /1 of them on more than one side/)
  assert.match(patientsOf([of(null, 'train')]), /no patients named/)
})
