// The model card of a package: what it says, and that each of its ways to predict gives what the package's golden images say.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Evaluation } from '../../src/app/evaluations/evaluate-version.ts'
import { parseCsv } from '../../src/package/csv.ts'
import type { Golden, Manifest, ModelConfig } from '../../src/package/schema.ts'
import type { TrainingJob } from '../../src/training/job.ts'
import { runJob } from '../../src/training/run-job.ts'
import { homeFolders, jsonBody, openedHome, servedHome, untilReady } from '../support/home.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PYTHON = process.env.PYTHON ?? 'python3'
const root = await mkdtemp(join(tmpdir(), 'roentgen-card-'))
after(() => rm(root, { recursive: true, force: true }))
const datasetDir = await drawDataset(join(root, 'spots'), 60)

const FEW = { batchSize: 16, imageSize: 32, learningRate: 3e-3, epochs: 2 }

/** Two classes in grey with borders, and the same as exclusive classes in colour, cropped, blue first. */
const JOBS: Readonly<Record<string, Partial<TrainingJob>>> = {
  binary: {},
  'single-label': {
    condition: {
      id: 'spots',
      name: 'Spots',
      bodyPart: 'skin',
      kind: 'single-label',
      classes: [
        { label: 'NORMAL', positive: false },
        { label: 'SICK', positive: true },
      ],
    },
    // Not the last one.
    hyperparameters: { ...FEW, explanationLayer: 'conv2_relu' },
    preprocessing: {
      schema: 1,
      width: 32,
      height: 32,
      channels: 3,
      interpolation: 'bicubic',
      aspect: 'crop',
      antialias: true,
      scale: 1,
      mean: [103.939, 116.779, 123.68],
      std: [58, 57, 57],
      order: 'bgr',
    },
  },
}

async function trained(kind: string, more: Partial<TrainingJob> = {}): Promise<string> {
  const packageDir = join(root, kind)
  const job: TrainingJob = {
    id: kind,
    condition: { id: 'spots', name: 'Spots', bodyPart: 'chest' },
    datasetDir,
    datasetName: 'spots',
    architecture: 'tiny_cnn',
    preset: 'quick',
    hyperparameters: FEW,
    workDir: join(root, `${kind}-work`),
    packageDir,
    threads: 1,
    ...JOBS[kind],
    ...more,
  }
  await mkdir(job.workDir)
  await runJob(job, { control: { wish: 'go on' }, report: () => {} })
  return packageDir
}

const packages = new Map<string, Promise<string>>()
function packageOf(kind: string): Promise<string> {
  const found = packages.get(kind) ?? trained(kind)
  packages.set(kind, found)
  return found
}

/** The block of that language, the n-th of them. */
async function snippet(dir: string, language: string, nth = 0): Promise<string> {
  const card = await readFile(join(dir, 'README.md'), 'utf8')
  const blocks = [...card.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
  const found = blocks.filter((block) => block[1] === language)[nth]?.[2]
  assert.ok(found, `the card has no ${language} to copy`)
  return found
}

/** Calibrated probability of each class for the first golden image, from what its graph gave. */
async function expected(dir: string): Promise<Record<string, number>> {
  const golden = JSON.parse(
    await readFile(join(dir, 'results/golden/golden.json'), 'utf8'),
  ) as Golden
  const manifest = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as Manifest
  const temperature = manifest.calibration?.temperature ?? 1
  const raw = golden.items[0]?.probabilities ?? []
  // Of two classes either formula, sigmoid or softmax, turns on the same margin.
  const margin = Math.log((raw[1] ?? 0) / (raw[0] ?? 0)) / temperature
  const p = 1 / (1 + Math.exp(-margin))
  return { NORMAL: 1 - p, SICK: p }
}

async function same(dir: string, text: string, tolerance: number): Promise<void> {
  const found = JSON.parse(text) as Record<string, number>
  for (const [label, p] of Object.entries(await expected(dir))) {
    assert.ok(
      Math.abs((found[label] ?? Number.NaN) - p) < tolerance,
      `${label}: ${found[label]}, not ${p}`,
    )
  }
}

function needs(modules: string): string | false {
  const { status } = spawnSync(PYTHON, ['-c', `import ${modules}`], { timeout: 120_000 })
  return status === 0 ? false : `needs a Python (PYTHON=…) with ${modules}`
}

test('the card says what it is for and not for, what it learnt from and how good it is, with intervals', async () => {
  const card = await readFile(join(await packageOf('binary'), 'README.md'), 'utf8')
  for (const heading of [
    'Intended use',
    'Out of scope',
    'Training data',
    'Training',
    'Performance',
    'Operating points',
    'Calibration',
    'Explanation',
    'Usage',
    'Files',
  ]) {
    assert.match(card, new RegExp(`^## ${heading}$`, 'm'))
  }
  assert.match(card, /\| sensitivity .* \| [\d.]+% \([\d.]+% to [\d.]+%\) \|/)
  assert.match(card, /\| AUC \| [\d.]+ \([\d.]+ to [\d.]+\) \|/)
  assert.match(card, /not a medical device/)
  assert.match(card, /Grad-CAM at `\w+`\. /)
  assert.doesNotMatch(card, /undefined|NaN|\[object/)
})

test('a run may name the layer that its heatmaps are taken at; a wrong one is refused before it trains', async () => {
  const dir = await packageOf('single-label')
  const model = JSON.parse(await readFile(join(dir, 'configs/model.json'), 'utf8')) as ModelConfig
  assert.equal(model.explanation?.layer, 'conv2_relu')
  assert.ok((model.explanation?.scale ?? 0) > 0)
  assert.match(
    await readFile(join(dir, 'README.md'), 'utf8'),
    /`conv2_relu`\. This layer was chosen/,
  )
  await assert.rejects(
    trained('wrong', { hyperparameters: { ...FEW, explanationLayer: 'logits' } }),
    /"explanationLayer": the network has no layer "logits" with a map; its last ones are .*conv6_relu/,
  )
})

test('every picture that the card shows is in the package', async () => {
  const dir = await packageOf('binary')
  const card = await readFile(join(dir, 'README.md'), 'utf8')
  const pictures = [...card.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = '']) => path)
  assert.equal(pictures.length, 5)
  for (const path of pictures) assert.ok((await readFile(join(dir, path))).length > 1000, path)
})

const forOnnx = needs('onnxruntime, numpy, PIL')
const forKeras = needs('keras, numpy, PIL')

for (const kind of Object.keys(JOBS)) {
  test(`the TypeScript of the card predicts what the golden image says: ${kind}`, async () => {
    const dir = await packageOf(kind)
    const folder = join(root, `ts-${kind}`)
    await mkdir(folder)
    await symlink(join(ROOT, 'src'), join(folder, 'src'))
    await writeFile(join(folder, 'predict.ts'), await snippet(dir, 'ts'))
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    const out = execFileSync(process.execPath, ['predict.ts', dir], { cwd: folder })
    await same(dir, out.toString(), 1e-5)
  })

  test(`the Python of the card predicts the same with ONNX Runtime: ${kind}`, {
    skip: forOnnx,
  }, async () => {
    const dir = await packageOf(kind)
    const out = execFileSync(PYTHON, ['-c', await snippet(dir, 'python')], { cwd: dir })
    // Pillow rounds to whole grey values after resizing.
    await same(dir, out.toString(), 0.02)
  })

  test(`the Python of the card predicts the same with Keras: ${kind}`, {
    skip: forKeras,
  }, async () => {
    const dir = await packageOf(kind)
    const run = spawnSync(PYTHON, ['-c', await snippet(dir, 'python', 1)], {
      cwd: dir,
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '' },
    })
    assert.equal(run.status, 0, run.stderr.toString())
    await same(dir, run.stdout.toString().trim().split('\n').at(-1) ?? '', 0.02)
  })
}

const noCurl = spawnSync('curl', ['--version']).status === 0 ? false : 'needs curl'
test('the curl of the card asks a server, which answers the same', { skip: noCurl }, async (t) => {
  const dir = await packageOf('binary')
  const folders = await homeFolders(t)
  await cp(dir, join(folders.modelsDir, 'spots/tiny-cnn-quick/v1'), { recursive: true })
  const { url } = await servedHome(folders)
  const activate = await fetch(
    `${url}/api/v1/conditions/spots/activate`,
    jsonBody({ version: 'spots/tiny-cnn-quick@1', reason: 'a test' }),
  )
  assert.equal(activate.status, 200, await activate.text())
  await untilReady(url)
  const words = (await snippet(dir, 'sh')).replace('http://127.0.0.1:7860', url)
  const run = spawnSync('sh', ['-c', words], { cwd: dir })
  assert.equal(run.status, 0, run.stderr.toString())
  const { classes } = JSON.parse(run.stdout.toString()) as {
    classes: { label: string; probability: number }[]
  }
  const found = Object.fromEntries(classes.map((one) => [one.label, one.probability]))
  await same(dir, JSON.stringify(found), 1e-5)
})

test('a server that evaluates it on its own test images finds what its training reported', async (t) => {
  const dir = await packageOf('binary')
  const folders = await homeFolders(t)
  await cp(dir, join(folders.modelsDir, 'spots/tiny-cnn-quick/v1'), { recursive: true })
  const files = parseCsv(await readFile(join(dir, 'results/dataset_files.csv'), 'utf8'))
  for (const { file = '' } of files.filter(({ split }) => split === 'test')) {
    const to = join(folders.env.ROENTGEN_DATASETS ?? '', 'tested', file)
    await cp(join(datasetDir, file), to, { recursive: true })
  }
  const { call } = await openedHome(folders)
  const response = await call(
    '/api/v1/versions/spots/tiny-cnn-quick/1/evaluate',
    jsonBody({ dataset: 'tested' }),
  )
  const last = (await response.text()).trim().split('\n').at(-1) ?? ''
  const { evaluation } = JSON.parse(last) as { evaluation: Evaluation }
  const manifest = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as Manifest
  const { auc, ...rest } = evaluation.metrics
  const { auc: reported, ...others } = manifest.metrics ?? { auc: null }
  assert.deepEqual(rest, others, 'the same images, by their fingerprint, and the same decisions')
  // Training reads in batches, serving one by one: two images may change places in the ranking by a rounding.
  assert.ok(Math.abs((auc ?? 0) - (reported ?? 1)) < 0.01)
  assert.match(evaluation.report.warnings.join(' '), /These are the internal test images/)
})
