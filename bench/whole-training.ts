// A whole training, from image files to a finished evaluation, beside Keras doing the same: last layers of a pretrained-size
// network, without augmentation and with it. `node bench/whole-training.ts [architecture] [layers] [images] [epochs] [threads]`
// The weights are random on both sides: times are compared, and accuracies only shown.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { synthesise } from '../src/synthetic/dataset.ts'
import { AugmentationSchema } from '../src/training/hyperparameters.ts'
import { trainOnce } from '../src/training/train-once.ts'

const [architecture = 'densenet121', layers = '20', ...numbers] = process.argv.slice(2)
const [images = 1000, epochs = 10, threads = 2] = numbers.map(Number)
const BATCH = 32
const SIDE = 224
/** Images of each class in ten that go to these folders. */
const SHARES = { train: 7, val: 1, test: 2 } as const

const folder = await mkdtemp(join(tmpdir(), 'roentgen-bench-'))
const data = join(folder, 'data')
await splitFolders()

/** train/, val/ and test/ with a folder for each class, as Keras users lay out their images. */
async function splitFolders(): Promise<void> {
  const drawn = join(folder, 'drawn')
  await synthesise({ condition: 'pneumonia', count: images, seed: 7, outDir: drawn })
  const order = Object.entries(SHARES).flatMap(([name, share]) => Array<string>(share).fill(name))
  for (const label of ['NORMAL', 'PNEUMONIA']) {
    for (const [i, file] of (await readdir(join(drawn, label))).sort().entries()) {
      const into = join(data, order[i % order.length] ?? 'train', label)
      await mkdir(into, { recursive: true })
      await cp(join(drawn, label, file), join(into, file))
    }
  }
}

interface Result {
  /** To the end of the evaluation. */
  readonly seconds: number
  /** Until the package with its files, plots and hashes is written, too. */
  readonly writtenSeconds?: number
  readonly accuracy: number
}

const secondsSince = (started: number): number => (performance.now() - started) / 1000

async function own(copies: number): Promise<Result> {
  const store = {
    dataDir: join(folder, `home-${copies}`),
    logsDir: join(folder, 'logs'),
    stagingDir: join(folder, `staging-${copies}`),
  }
  const started = performance.now()
  let seconds = Number.NaN
  const summary = await trainOnce(
    {
      condition: { id: 'pneumonia', name: 'Pneumonia', bodyPart: 'chest' },
      datasetDir: data,
      datasetName: 'synthetic',
      architecture,
      preset: 'quick',
      hyperparameters: {
        epochs,
        batchSize: BATCH,
        learningRate: 1e-4,
        imageSize: SIDE,
        schedule: 'constant',
        earlyStopping: 0,
        trainedLayers: Number(layers),
        augmentation: copies > 0 ? AugmentationSchema.parse({}) : null,
        frozenCopies: Math.max(1, copies),
      },
      channels: 3,
      threads,
    },
    {
      store,
      onMessage: (message) => {
        if (message.type === 'phase' && message.phase === 'writing') seconds = secondsSince(started)
      },
    },
  )
  const writtenSeconds = secondsSince(started)
  const file = join(summary.packageDir, 'results', 'results_summary.json')
  return {
    seconds,
    writtenSeconds,
    accuracy: JSON.parse(await readFile(file, 'utf8')).metrics.accuracy,
  }
}

async function keras(augments: boolean): Promise<Result | undefined> {
  const script = fileURLToPath(new URL('peers/keras_whole.py', import.meta.url))
  const args = [architecture, data, layers, epochs, BATCH, SIDE, threads, augments ? 1 : 0]
  const started = performance.now()
  try {
    const python = process.env.PYTHON ?? 'python3'
    const { stdout } = await promisify(execFile)(python, [script, ...args.map(String)])
    const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')
    if (said.absent) throw new Error(said.absent)
    return { seconds: secondsSince(started), accuracy: said.accuracy }
  } catch (error) {
    console.log(`skipped Keras: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
    return undefined
  }
}

const line = (name: string, { seconds, writtenSeconds, accuracy }: Result) =>
  console.log(
    `${name.padEnd(48)}${seconds.toFixed(1).padStart(8)} s   accuracy ${accuracy.toFixed(3)}${writtenSeconds ? `   (package written after ${writtenSeconds.toFixed(1)} s)` : ''}`,
  )

console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, ${threads} threads: ${architecture}, last ${layers} layers, ${images} images, ${epochs} epochs`,
)
for (const copies of [0, 2]) {
  const name = copies === 0 ? 'without augmentation' : `with augmentation, K = ${copies}`
  const ours = await own(copies)
  line(`Roentgen, ${name}`, ours)
  const theirs = await keras(copies > 0)
  if (!theirs) continue
  line(`Keras, ${name}`, theirs)
  console.log(`ratio ${(ours.seconds / theirs.seconds).toFixed(3)}`)
}
await rm(folder, { recursive: true })
