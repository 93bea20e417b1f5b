// Datasets as they are published: which column and which folder means what. No image is opened.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after } from 'node:test'
import type { AppError } from '../../../src/errors.ts'
import { guessClasses } from '../../../src/training/dataset/labels.ts'
import { type DatasetScan, scanDataset } from '../../../src/training/dataset/scan.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-layouts-'))
after(() => rm(root, { recursive: true, force: true }))
let count = 0

/** A folder of empty images and the given tables. */
async function folder(
  images: readonly string[],
  tables: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const dir = join(root, String(count++))
  const files = { ...Object.fromEntries(images.map((name) => [name, 'x'])), ...tables }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), content)
  }
  return dir
}

const labelsOf = ({ files }: DatasetScan) =>
  Object.fromEntries(files.map(({ file, labels }) => [file, labels.join('|')]))
const numbered = (prefix: string, length: number) =>
  Array.from({ length }, (_, i) => `${prefix}${i}.png`)

async function refused(dir: string, words: RegExp): Promise<AppError> {
  const error = await scanDataset(dir).then(
    () => assert.fail('it was read'),
    (cause: AppError) => cause,
  )
  assert.equal(error.code, 'invalid')
  assert.match(error.message, words)
  return error
}

test('an empty cell is unlabelled, never healthy, and a word that is neither yes nor no is named with its line', async () => {
  const images = ['a.png', 'b.png', 'c.png']
  const dir = await folder(images, { 'dataset.csv': 'image,fractured\na,1\nb,0\nc,\n' })
  const scan = await scanDataset(dir)
  assert.deepEqual(labelsOf(scan), { 'a.png': 'fractured', 'b.png': 'not fractured' })
  assert.deepEqual(scan.unlabelled, ['c.png'])
  const odd = await folder(images, { 'dataset.csv': 'image,fractured\na,1\nb,maybe\nc,0\n' })
  await refused(odd, /Line 3 of dataset\.csv says "maybe" in the column "fractured"/)
  const label = await folder(images, { 'd.csv': 'image,label\na,x\nb,y\nc,\n' })
  assert.deepEqual((await scanDataset(label)).unlabelled, ['c.png'])
})

test('a flag may be written in every usual way', async () => {
  const words = [
    '1',
    '1.0',
    'y',
    'Yes',
    'TRUE',
    'positive',
    '0',
    '0.0',
    'n',
    'No',
    'false',
    'Negative',
  ]
  const rows = words.map((word, i) => `i${i},${word}`).join('\n')
  const dir = await folder(numbered('i', 12), { 'd.csv': `image,abnormal\n${rows}\n` })
  const labels = Object.values(labelsOf(await scanDataset(dir)))
  assert.deepEqual(labels.filter((one) => one === 'abnormal').length, 6)
  assert.deepEqual(labels.filter((one) => one === 'not abnormal').length, 6)
})

test('CheXpert: files by the end of their path, patients, findings, and what is uncertain is left out or as chosen', async () => {
  const of = (n: number) => `train/patient0000${n}/study1/view1_frontal.jpg`
  const rows = ['1.0,,', ',1.0,', ',,-1.0', '0.0,0.0,0.0', ',0.0,']
  const table = [
    'Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Pneumonia',
    ...rows.map((flags, n) => `CheXpert-v1.0-small/${of(n)},Female,60,Frontal,AP,${flags}`),
  ].join('\n')
  const dir = await folder([0, 1, 2, 3, 4].map(of), { 'train.csv': table })
  const scan = await scanDataset(dir)
  assert.deepEqual(labelsOf(scan), { [of(0)]: 'No Finding', [of(1)]: 'Cardiomegaly', [of(3)]: '' })
  assert.deepEqual(scan.unlabelled, [of(2), of(4)])
  assert.deepEqual(
    scan.files.map(({ group, split }) => [group, split]),
    [0, 1, 3].map((n) => [`patient0000${n}`, 'train']),
  )
  assert.match(scan.warnings.join(), /1 images have an uncertain label/)
  const positive = labelsOf(await scanDataset(dir, { uncertain: 'positive' }))
  assert.equal(positive[of(2)], 'Pneumonia')
  const negative = await scanDataset(dir, { uncertain: 'negative' })
  assert.deepEqual(negative.unlabelled, [of(2), of(4)])
})

test('NIH: several findings in one cell, none of them, and the patient', async () => {
  const images = numbered('images/', 3)
  const table =
    'Image Index,Finding Labels,Patient ID\n0.png,Effusion|Mass,7\n1.png,No Finding,7\n2.png,Mass,8\n'
  const scan = await scanDataset(await folder(images, { 'Data_Entry_2017.csv': table }))
  assert.deepEqual(Object.values(labelsOf(scan)), ['Effusion|Mass', '', 'Mass'])
  assert.deepEqual(
    scan.files.map(({ group }) => group),
    ['7', '7', '8'],
  )
})

test('ISIC one-hot, PadChest lists, VinDr rows for each reader, RSNA boxes and id_code with diagnosis are read', async () => {
  const images = ['a.png', 'b.png', 'c.png']
  const read = async (name: string, table: string) =>
    labelsOf(await scanDataset(await folder(images, { [name]: table })))
  assert.deepEqual(await read('isic.csv', 'image,MEL,NV\na,1.0,0.0\nb,0.0,1.0\nc,1.0,0.0\n'), {
    'a.png': 'MEL',
    'b.png': 'NV',
    'c.png': 'MEL',
  })
  const padchest = `ImageID,Labels,PatientID\na.png,"['normal']",1\nb.png,"['cardiomegaly', 'scoliosis']",2\nc.png,"[]",3\n`
  assert.deepEqual(await read('padchest.csv', padchest), {
    'a.png': 'normal',
    'b.png': 'cardiomegaly|scoliosis',
  })
  const vindr =
    'image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\na,No finding,14,R1,,,,\nb,Mass,1,R1,1,2,3,4\nb,Nodule,2,R2,1,2,3,4\nc,Mass,1,R3,1,2,3,4\n'
  assert.deepEqual(await read('train.csv', vindr), {
    'a.png': '',
    'b.png': 'Mass|Nodule',
    'c.png': 'Mass',
  })
  const rsna = 'patientId,x,y,width,height,Target\na,,,,,0\nb,1,2,3,4,1\nb,5,6,7,8,1\nc,,,,,0\n'
  assert.deepEqual(await read('boxes.csv', rsna), { 'a.png': '0', 'b.png': '1', 'c.png': '0' })
  assert.deepEqual(await read('aptos.csv', 'id_code,diagnosis\na,0\nb,4\nc,2\n'), {
    'a.png': '0',
    'b.png': '4',
    'c.png': '2',
  })
})

test('tables may be TSV, semicolon-separated, UTF-16 or Windows-1252', async () => {
  const text = 'image,dx\na,gr\u00fcn\nb,rot\n'
  const utf16 = (swap: boolean) => {
    const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le')
    return swap ? bytes.swap16() : bytes
  }
  const tables: Record<string, string | Uint8Array>[] = [
    { 'd.tsv': text.replaceAll(',', '\t') },
    { 'd.csv': text.replaceAll(',', ';') },
    { 'd.csv': utf16(false) },
    { 'd.csv': utf16(true) },
    { 'd.csv': Buffer.from(text, 'utf16le') },
    { 'd.csv': Buffer.from(text, 'latin1') },
  ]
  for (const table of tables) {
    const scan = await scanDataset(await folder(['a.png', 'b.png'], table))
    assert.deepEqual(labelsOf(scan), { 'a.png': 'gr\u00fcn', 'b.png': 'rot' })
  }
})

test('train.csv and test.csv deal the images of one folder', async () => {
  const scan = await scanDataset(
    await folder(['imgs/a.png', 'imgs/b.png'], {
      'train.csv': 'image,label\na.png,x\n',
      'test.csv': 'image,label\nb.png,y\n',
    }),
  )
  assert.deepEqual(
    scan.files.map(({ split }) => split),
    ['train', 'test'],
  )
})

test('names that differ only in case, spaces or Unicode form are one class', async () => {
  const scan = await scanDataset(
    await folder([
      ...numbered('Train/tb/', 3),
      ...numbered('TEST/TB/', 2),
      ...numbered('Train/Ma\u0308nnlich/', 2),
      ...numbered('TEST/M\u00e4nnlich/', 1),
    ]),
  )
  assert.deepEqual(
    scan.classes.map((one) => one.count),
    [3, 5],
  )
  assert.equal(scan.classes[1]?.label, 'tb')
})

test('a folder unpacked into its own name, folds and sites above the classes, and patients below them are no classes', async () => {
  const classesOf = async (images: readonly string[]) =>
    (await scanDataset(await folder(images))).classes.map(({ label }) => label)
  const doubled = ['chest_xray/', 'chest_xray/chest_xray/'].flatMap((top) => [
    ...numbered(`${top}train/NORMAL/`, 3),
    ...numbered(`${top}test/PNEUMONIA/`, 3),
  ])
  assert.deepEqual(await classesOf(doubled), ['NORMAL', 'PNEUMONIA'])
  const sites = ['siteA', 'siteB'].flatMap((site) => [
    ...numbered(`${site}/normal/`, 3),
    ...numbered(`${site}/sick/`, 3),
  ])
  assert.deepEqual(await classesOf(sites), ['normal', 'sick'])
  const folds = [0, 1].flatMap((n) => [
    ...numbered(`fold_${n}/cat/`, 3),
    ...numbered(`fold_${n}/dog/`, 3),
  ])
  assert.deepEqual(await classesOf(folds), ['cat', 'dog'])
  const below = ['normal', 'sick'].flatMap((label) =>
    Array.from({ length: 20 }, (_, n) => `${label}/${label[0]}${n}/view.png`),
  )
  assert.deepEqual(await classesOf(below), ['normal', 'sick'])
})

test('MURA: the study names the class, its folder the patient', async () => {
  const images = Array.from({ length: 20 }, (_, n) => {
    return `MURA/train/XR_ELBOW/patient${n}/study1_${n % 2 ? 'positive' : 'negative'}/image1.png`
  })
  const scan = await scanDataset(await folder(images))
  assert.deepEqual(scan.classes, [
    { label: 'negative', count: 10 },
    { label: 'positive', count: 10 },
  ])
  assert.equal(new Set(scan.files.map(({ group }) => group)).size, 20)
})

test('folders that look like patients are asked about instead of being trained on', async () => {
  const images = Array.from({ length: 40 }, (_, n) => `P${100 + n}/film.png`)
  await refused(await folder(images), /40 folders look like patients or studies/)
})

test('a folder of several datasets is refused with their names', async () => {
  const dir = await folder([
    ...numbered('ARM/FracAtlas/images/Fractured/', 3),
    ...numbered('ARM/FracAtlas/images/Non_fractured/', 3),
    ...numbered('CHEST/chest_xray Pneumonia/train/NORMAL/', 3),
    ...numbered('CHEST/chest_xray Pneumonia/train/PNEUMONIA/', 3),
    ...numbered('KNEE/Osteoarthritis Knee X-ray/Normal/', 3),
    ...numbered('KNEE/Osteoarthritis Knee X-ray/Arthritis/', 3),
  ])
  const error = await refused(dir, /holds 3 datasets with classes of their own: ARM, CHEST, KNEE/)
  assert.deepEqual(error.extra?.datasets, ['ARM', 'CHEST', 'KNEE'])
})

test('a mask beside its image is no image, and a name that only ends like one is', async () => {
  const scan = await scanDataset(
    await folder(['a/x.png', 'a/x_mask.png', 'b/y.png', 'b/my_mask.png']),
  )
  assert.deepEqual(
    scan.files.map(({ file }) => file),
    ['a/x.png', 'b/my_mask.png', 'b/y.png'],
  )
  assert.match(scan.warnings.join(), /1 masks beside their images/)
})

test('which class is the finding is asked where nothing tells, and taken as it is named', () => {
  const guess = (labels: string[], positive?: string) =>
    guessClasses(labels, { severalPerImage: false, ...(positive && { positive }) })
  for (const labels of [
    ['melanoma', 'nevus'],
    ['A', 'B'],
    ['male', 'female'],
  ]) {
    assert.throws(
      () => guess(labels),
      (error: AppError) => {
        assert.deepEqual([error.code, error.extra?.choices], ['invalid', labels])
        return true
      },
    )
  }
  assert.throws(() => guess(['melanoma', 'nevus'], 'lentigo'), /Which class is the finding/)
  const positives = (labels: string[], positive?: string) =>
    guess(labels, positive).classes.map((one) => [one.label, one.positive])
  assert.deepEqual(positives(['melanoma', 'nevus'], 'Melanoma'), [
    ['nevus', false],
    ['melanoma', true],
  ])
  assert.deepEqual(positives(['affected', 'unaffected']), [
    ['unaffected', false],
    ['affected', true],
  ])
  assert.deepEqual(positives(['Entzuendung', 'Gesund']), [
    ['Gesund', false],
    ['Entzuendung', true],
  ])
})
