// Pages of datasets and training: what they say in each state, and that nothing from outside becomes markup.
import assert from 'node:assert/strict'
import test from 'node:test'
import { parse } from 'node-html-parser'
import { usualCondition } from '../../src/app/runs/class-fit.ts'
import { datasetListPage } from '../../views/datasets/list.ts'
import { datasetPage, datasetPanel } from '../../views/datasets/show.ts'
import { trainingPage } from '../../views/runs/form.ts'
import { runList } from '../../views/runs/list.ts'
import { runPage, runPanel } from '../../views/runs/show.ts'
import { frame } from './samples.ts'
import { dataset, datasetProps, failed, run, runProps, trainingProps } from './training-samples.ts'

const text = (view: unknown) => parse(String(view)).textContent.replaceAll(/\s+/g, ' ')
const buttons = (view: unknown) =>
  parse(String(view))
    .querySelectorAll('button[type=submit]')
    .map((one) => one.textContent.trim())

test('a fragment is the very text that its page contains', () => {
  assert.ok(String(runPage(runProps)).includes(String(runPanel(runProps))))
  assert.ok(String(datasetPage(datasetProps)).includes(String(datasetPanel(datasetProps))))
  assert.ok(String(trainingPage(trainingProps)).includes(String(runList(trainingProps))))
})

test('a run offers what its state allows', () => {
  const of = (changes: Partial<typeof run>) =>
    buttons(runPanel({ ...runProps, run: { ...run, ...changes } }))
  assert.deepEqual(of({}), ['Pause', 'Stop and keep the best', 'Cancel'])
  assert.deepEqual(of({ state: 'paused' }), ['Resume', 'Stop and keep the best', 'Cancel'])
  assert.deepEqual(of({ state: 'interrupted' }), ['Resume', 'Cancel'])
  assert.deepEqual(of({ state: 'finished', version: 'pneumonia/x@1' }), ['Run again'])
  assert.deepEqual(buttons(runPanel({ ...runProps, run: failed })), [
    'Try again with batches of 8',
    'Run again',
  ])
})

test('a running run says where it is and is listened to; an ended one is left alone', () => {
  const panel = String(runPanel(runProps))
  assert.match(text(panel), /epoch 4 of 5, batch 2 of 9, about 1 min 35 s left/)
  assert.match(panel, /data-run-events="\/api\/v1\/runs\/[^"]+\/events"/)
  assert.match(
    panel,
    /aria-label="Loss by epoch: training 1 to 0\.3333, validation 1\.1 to 0\.3667"/,
  )
  assert.doesNotMatch(String(runPanel({ ...runProps, run: failed })), /data-run-events/)
})

test('a dataset tells each finding and how it was split', () => {
  const words = text(datasetPanel(datasetProps))
  for (const finding of [
    /NORMAL has 90 images/,
    /Broken files: 1.*NORMAL\/x\.png The file is empty/,
    /Same image, different labels: 1/,
    /Near-duplicate images: 1/,
    /Blurred: 1/,
    /2 patients, 1 image/,
    /PNEUMONIA140 *0 *0 *30/,
  ]) {
    assert.match(words, finding)
  }
  const scanning = { ...dataset, state: 'scanning', scan: null, prepared: null } as const
  const busy = datasetPanel({ ...datasetProps, dataset: scanning, progress: { done: 3, total: 9 } })
  assert.match(text(busy), /3 of 9 images/)
  assert.match(String(busy), /hx-trigger="every 1s"/)
  assert.deepEqual(buttons(busy), [])
})

test('without a prepared dataset the form says what to do', () => {
  const unprepared = { ...dataset, prepared: null }
  const page = text(trainingPage({ ...trainingProps, datasets: [unprepared] }))
  assert.match(page, /Dataset not prepared *Scan and prepare/)
})

test('the usual condition is the one that the dataset was prepared for, else the first that fits, else none', () => {
  const [condition] = trainingProps.conditions
  assert.ok(condition && dataset.prepared)
  const other = {
    ...condition,
    id: 'cardiomegaly',
    classes: [
      { label: 'NORMAL', positive: false },
      { label: 'CARDIOMEGALY', positive: true },
    ],
  }
  const plain = { ...dataset, prepared: { ...dataset.prepared, condition: null } }
  const heart = { ...dataset, prepared: { ...dataset.prepared, condition: 'cardiomegaly' } }
  assert.equal(usualCondition(plain, [other, condition]), 'pneumonia')
  assert.equal(usualCondition(heart, [other, condition]), 'cardiomegaly')
  assert.equal(usualCondition(plain, [other]), '')
  assert.equal(usualCondition(undefined, [other]), 'cardiomegaly')
})

test('doubts of models that hardly tell the classes apart are said to say little', () => {
  const check = {
    version: 'pneumonia/tiny-cnn-quick@1',
    fingerprint: 'x',
    images: 244,
    folds: 5,
    count: 90,
    sure: 80,
    labels: [],
  }
  const page = (accuracy: number) =>
    text(
      datasetPanel({
        ...datasetProps,
        dataset: { ...dataset, labelCheck: { ...check, accuracy } },
      }),
    )
  // 170 of the 297 images show the commoner class.
  assert.match(page(0.6), /barely separate the classes/)
  assert.doesNotMatch(page(0.9), /hardly/)
})

test('a path that cannot be scanned stays in the form to be corrected', () => {
  const page = datasetListPage({ frame, datasets: [], folders: [], path: '../"x' })
  assert.equal(parse(String(page)).querySelector('#path')?.getAttribute('value'), '../"x')
})

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`
const KEEP = new Set(['state', 'status', 'kind', 'phase', 'policy'])

function poisoned<T>(value: T, key = ''): T {
  const walk = (one: unknown, name: string): unknown => {
    if (typeof one === 'string') return KEEP.has(name) ? one : HOSTILE
    if (Array.isArray(one)) return one.map((item) => walk(item, name))
    if (one instanceof Map || typeof one !== 'object' || one === null) return one
    return Object.fromEntries(Object.entries(one).map(([k, item]) => [k, walk(item, k)]))
  }
  return walk(value, key) as T
}

for (const [name, view] of Object.entries({
  'a run': runPage(poisoned({ ...runProps, run: { ...failed, version: 'x' } })),
  'a dataset': datasetPage(poisoned(datasetProps)),
  datasets: datasetListPage(poisoned({ frame, datasets: [dataset], folders: ['x'] })),
  training: trainingPage(poisoned(trainingProps)),
})) {
  test(`text from outside stays text: ${name}`, () => {
    const root = parse(String(view))
    const scripts = root.querySelectorAll('script').filter((one) => one.textContent !== '')
    assert.deepEqual([scripts.length, root.querySelectorAll('[onerror]').length], [0, 0])
  })
}
