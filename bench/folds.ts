// Accuracy, not speed: five folds (by patient where an index.csv names them) trained here and in Keras from the same initial
// weights, on the same prepared pixels, with the same recipe; the paired difference in accuracy with its 95 % interval.
// `node bench/folds.ts DATASET ARCHITECTURE [--weights TFJS_FOLDER] [--layers 20] [--epochs 15] [--batchNorm frozen]`
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { getArchitecture } from '../src/architectures/catalogue.ts'
import { loadLayersModel } from '../src/engine/layers-model.ts'
import { saveLayersModel } from '../src/engine/layers-save.ts'
import { parseCsv } from '../src/package/csv.ts'
import { trainOnce } from '../src/training/train-once.ts'
import { pairedInterval } from './paired-interval.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    weights: { type: 'string' },
    layers: { type: 'string', default: 'all' },
    epochs: { type: 'string', default: '15' },
    rate: { type: 'string', default: '1e-3' },
    folds: { type: 'string', default: '5' },
    seeds: { type: 'string', default: '1' },
    batch: { type: 'string', default: '16' },
    batchNorm: { type: 'string', default: 'trained' },
  },
})
const [dataset = '', architecture = 'custom_cnn'] = positionals
const [epochs, rate, folds, seeds, batch] = [
  options.epochs,
  options.rate,
  options.folds,
  options.seeds,
  options.batch,
].map(Number) as [number, number, number, number, number]
const SIDE = 224
const layers = options.layers === 'all' ? 'all' : Number(options.layers)
const folder = await mkdtemp(join(tmpdir(), 'roentgen-folds-'))

interface Image {
  readonly file: string
  readonly label: string
  readonly group: string
}

/** Class folders below `dataset` or `dataset/images`; patients from index.csv where it has that column. */
async function imagesOf(): Promise<Image[]> {
  const index = await readFile(join(dataset, 'index.csv'), 'utf8').catch(() => '')
  const rows = index === '' ? [] : parseCsv(index)
  if (rows[0]?.class !== undefined) {
    return rows.map(({ file, image, class: label = '', patient }) => {
      const path = file ?? image ?? ''
      return { file: path, label, group: patient || path }
    })
  }
  const classes = (await readdir(dataset, { withFileTypes: true })).filter((one) =>
    one.isDirectory(),
  )
  const found = classes.map(async ({ name }) =>
    (await readdir(join(dataset, name))).map((one) => ({
      file: join(name, one),
      label: name,
      group: one,
    })),
  )
  return (await Promise.all(found)).flat()
}

/** Whole groups, class by class in the order of their names, dealt out in turn. */
function dealt(images: readonly Image[]): number[] {
  const foldOf = new Map<string, number>()
  const next = new Map<string, number>()
  for (const { label, group } of images.toSorted((a, b) => (a.group < b.group ? -1 : 1))) {
    if (foldOf.has(group)) continue
    const turn = next.get(label) ?? 0
    foldOf.set(group, turn % folds)
    next.set(label, turn + 1)
  }
  return images.map(({ group }) => foldOf.get(group) ?? 0)
}

async function initialWeights(outputs: number, seed: number): Promise<string> {
  const shape = { height: SIDE, width: SIDE, channels: 3, outputs, seed } as const
  const model = getArchitecture(architecture).build(shape)
  if (options.weights !== undefined) {
    const given = await loadLayersModel(options.weights)
    const byName = new Map(given.layers.map((layer) => [layer.name, layer]))
    let found = 0
    for (const layer of model.layers) {
      const source = byName.get(layer.name)
      if (!source || layer.weights.length === 0) continue
      layer.setWeights(source.getWeights())
      found += 1
    }
    console.log(`${found} layers start from the given weights`)
  }
  const into = join(folder, `initial-${seed}`)
  await saveLayersModel(model, into)
  model.dispose()
  return into
}

interface Pair {
  readonly group: string
  readonly ours: number
  readonly theirs: number
}

const images = await imagesOf()
const foldOfImage = dealt(images)
const labels = [...new Set(images.map(({ label }) => label))].sort()
const run = promisify(execFile)
const pairs: Pair[] = []
for (let seed = 1; seed <= seeds; seed++) {
  const modelDir = await initialWeights(labels.length, seed)
  for (let fold = 0; fold < folds; fold++) await runFold({ seed, fold, modelDir })
}

async function runFold(o: { seed: number; fold: number; modelDir: string }): Promise<void> {
  const name = `${o.seed}-${o.fold}`
  const data = join(folder, `data-${name}`)
  const groups = new Map<string, string>()
  for (const [i, { file, label, group }] of images.entries()) {
    const part = foldOfImage[i] === o.fold ? 'test' : 'train'
    const plain = file.replaceAll(/[\\/]/g, '_')
    await mkdir(join(data, part, label), { recursive: true })
    await cp(join(dataset, file), join(data, part, label, plain))
    groups.set(`${part}/${label}/${plain}`, group)
  }
  const store = {
    dataDir: join(folder, 'home'),
    logsDir: join(folder, 'logs'),
    stagingDir: join(folder, 'staging'),
  }
  const prepared = join(folder, `prepared-${name}`)
  const summary = await trainOnce(
    {
      condition: { id: 'folds', name: 'Folds', bodyPart: 'chest' },
      datasetDir: data,
      datasetName: 'folds',
      architecture,
      preset: 'quick',
      prepared: { dir: prepared, seed: 42, maxPerClass: null, exclude: [] },
      initFrom: { version: 'initial weights', modelDir: o.modelDir },
      hyperparameters: {
        epochs,
        batchSize: batch,
        learningRate: rate,
        imageSize: SIDE,
        aspect: 'stretch',
        schedule: 'constant',
        earlyStopping: 0,
        trainedLayers: layers,
        augmentation: null,
        frozenCopies: 1,
        batchNorm: options.batchNorm === 'frozen' ? 'frozen' : 'trained',
        seed: o.seed,
      },
      channels: 3,
      threads: 2,
    },
    { store },
  )
  const rows = parseCsv(
    await readFile(join(summary.packageDir, 'results', 'predictions.csv'), 'utf8'),
  )
  const ours = new Map(
    rows.map((row) => [row.file ?? '', row.true_label === row.predicted_label ? 1 : 0]),
  )
  const script = fileURLToPath(new URL('peers/keras_fold.py', import.meta.url))
  const [pixels = ''] = await readdir(prepared)
  const args = [
    o.modelDir,
    join(prepared, pixels),
    layers,
    epochs,
    batch,
    rate,
    o.seed,
    options.batchNorm,
  ].map(String)
  const { stdout } = await run(process.env.PYTHON ?? 'python3', [script, ...args])
  const theirs: Record<string, number> = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')
  if (typeof theirs.absent === 'string') throw new Error(`Keras is absent: ${theirs.absent}`)
  const own: Pair[] = []
  for (const [path, right] of ours) {
    const other = theirs[path]
    if (other !== undefined)
      own.push({ group: groups.get(path) ?? path, ours: right, theirs: other })
  }
  const share = (of: 'ours' | 'theirs') =>
    (own.reduce((sum, pair) => sum + pair[of], 0) / own.length).toFixed(3)
  console.log(
    `seed ${o.seed}, fold ${o.fold + 1}: ${own.length} images, Roentgen ${share('ours')}, Keras ${share('theirs')}`,
  )
  pairs.push(...own)
  for (const path of [data, prepared, summary.packageDir]) await rm(path, { recursive: true })
}

const mean = (of: 'ours' | 'theirs') =>
  pairs.reduce((sum, pair) => sum + pair[of], 0) / pairs.length
const { difference, low, high } = pairedInterval(pairs)
const points = (value: number) => (100 * value).toFixed(1)
console.log(
  `${architecture}, ${images.length} images, ${folds} folds, ${seeds} seeds: Roentgen ${points(mean('ours'))} %, Keras ${points(mean('theirs'))} %; difference ${points(difference)} points, 95 % interval ${points(low)} to ${points(high)}`,
)
await rm(folder, { recursive: true })
