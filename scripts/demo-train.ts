// `npm run demo:train`: draws the six synthetic datasets, trains two small models for each through the real training
// process, checks them and writes them to models/ as demonstration packages. Their golden images are the examples of the
// diagnose page.
//   --condition pneumonia   one only     --epochs 12     --images 1000     --models DIR
//   --datasets DIR          keeps the drawn images there, and takes what lies there from an earlier run
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { parseCsv } from '../src/package/csv.ts'
import { exists, moveFolder } from '../src/package/durable-files.ts'
import { readManifest, writeManifest } from '../src/package/manifest.ts'
import { verifyPackage } from '../src/package/verify-package.ts'
import { openStore } from '../src/registry/home/store.ts'
import { SYNTH_CONDITIONS, type SynthCondition } from '../src/synthetic/conditions.ts'
import { SYNTHETIC_NOTICE, synthesise } from '../src/synthetic/dataset.ts'
import type { Augmentation } from '../src/training/hyperparameters.ts'
import { logLine } from '../src/training/log-line.ts'
import { augmentationFor } from '../src/training/settings.ts'
import { trainOnce } from '../src/training/train-once.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const MAX_BYTES = 1.5e6
const MIN_DISAGREEMENT = 0.05
/** Below this a demonstration would not show a diagnosis but chance; seven classes are harder than two. */
const MIN_BALANCED = { binary: 0.72, 'single-label': 0.5, 'multi-label': 0.6 } as const
/** Few enough that the two models still err, and on different images; so there is something to compare. */
const IMAGES = { binary: 1000, 'single-label': 1750, 'multi-label': 1000 } as const
/** Enough for both to have learnt it; chests take longer because they are turned and moved while training. */
const EPOCHS: Readonly<Record<string, number>> = {
  pneumonia: 14,
  cardiomegaly: 16,
  osteoporosis: 10,
  osteoarthritis: 10,
  'limb-abnormality': 10,
}
const IMAGE_SIDE = 192
const SEED = 7
const ARCHITECTURES = ['tiny_cnn', 'tiny_mobilenet'] as const
/** Fixed beforehand, not chosen by results: its heatmaps are the sharper ones. */
const DEFAULT = 'tiny_cnn'

const { values: options } = parseArgs({
  options: {
    condition: { type: 'string', multiple: true },
    epochs: { type: 'string' },
    images: { type: 'string' },
    models: { type: 'string', default: join(ROOT, 'models') },
    datasets: { type: 'string' },
  },
})

interface DemoModel {
  readonly architecture: string
  readonly dir: string
  readonly balancedAccuracy: number
  /** Answer to each test image. */
  readonly answers: ReadonlyMap<string, { readonly truth: string; readonly said: string }>
}

function imageCount({ kind }: SynthCondition): number {
  return Number(options.images ?? IMAGES[kind])
}

function say(text: string): void {
  console.log(`${new Date().toISOString()} ${text}`)
}

/** Turning a small image blurs spurs and fracture lines, so bones are only mirrored; a chest is only turned. */
function augmentationOf({ bodyPart }: SynthCondition): Augmentation {
  const usual = augmentationFor(bodyPart)
  return bodyPart === 'chest' ? usual : { ...usual, rotationDegrees: 0, shift: 0, scale: 0 }
}

async function trainModel(
  condition: SynthCondition,
  o: { readonly architecture: string; readonly datasetDir: string; readonly workDir: string },
): Promise<DemoModel> {
  const { architecture, datasetDir, workDir } = o
  const store = await openStore({
    modelsDir: join(workDir, 'models'),
    dataDir: join(workDir, 'data'),
  })
  const { id, name, bodyPart, kind, classes } = condition
  const summary = await trainOnce(
    {
      id: `demo-${id}-${architecture}`.replaceAll('_', '-'),
      condition: { id, name, bodyPart, kind, classes },
      datasetDir,
      datasetName: `synthetic ${id}, seed ${SEED}`,
      architecture,
      preset: 'standard',
      name: `${architecture.replaceAll('_', '-')}-demo`,
      hyperparameters: {
        epochs: Number(options.epochs ?? EPOCHS[id] ?? 12),
        batchSize: 16,
        learningRate: 3e-3,
        seed: 42,
        augmentation: augmentationOf(condition),
      },
      channels: condition.channels,
      demonstration: { notice: SYNTHETIC_NOTICE },
      tags: ['demonstration'],
      // One thread each, both at once: no idle waiting, and the same sums on a machine with other cores.
      threads: 1,
    },
    {
      store,
      onMessage: (message) => {
        const line = logLine(message)
        if (line) say(`${id} ${architecture}: ${line}`)
      },
    },
  )
  const dir = summary.packageDir
  const rows = parseCsv(await readFile(join(dir, 'results/predictions.csv'), 'utf8'))
  const answers = new Map(
    rows.map((row) => [
      row.file ?? '',
      { truth: row.true_label ?? '', said: row.predicted_label ?? '' },
    ]),
  )
  return { architecture, dir, balancedAccuracy: summary.balancedAccuracy ?? 0, answers }
}

/** The description is written last: a folder that has it is whole. */
async function drawOnce(condition: SynthCondition, outDir: string): Promise<void> {
  if (await exists(join(outDir, 'dataset.json'))) return say(`${condition.id}: images are there`)
  const count = imageCount(condition)
  say(`${condition.id}: drawing ${count} images`)
  await rm(outDir, { recursive: true, force: true })
  await synthesise({ condition: condition.id, count, seed: SEED, size: IMAGE_SIDE, outDir })
}

/** Trains both, checks them together and puts them into the store. */
async function makeDemonstration(condition: SynthCondition, workDir: string): Promise<void> {
  const datasetDir = join(options.datasets ?? workDir, `${condition.id}-${imageCount(condition)}`)
  await drawOnce(condition, datasetDir)
  const models = await Promise.all(
    ARCHITECTURES.map((architecture) =>
      trainModel(condition, { architecture, datasetDir, workDir }),
    ),
  )
  const problems = await check(condition, models)
  for (const model of models) {
    const tags = ['demonstration', ...(model.architecture === DEFAULT ? ['default'] : [])]
    await publish(model, { condition, tags })
  }
  if (problems.length > 0) throw new Error(`${condition.id}: ${problems.join('; ')}`)
}

/** What is wrong with a pair; empty when it may be shown. */
async function check(condition: SynthCondition, models: readonly DemoModel[]): Promise<string[]> {
  const problems: string[] = []
  for (const { architecture, dir, balancedAccuracy } of models) {
    const { sizeBytes } = await verifyPackage(dir)
    const least = MIN_BALANCED[condition.kind]
    say(
      `${condition.id} ${architecture}: balanced accuracy ${balancedAccuracy.toFixed(3)} on the test split, ` +
        `${(sizeBytes / 1e6).toFixed(2)} MB`,
    )
    if (balancedAccuracy < least) problems.push(`${architecture} stays below ${least}`)
    if (sizeBytes > MAX_BYTES) problems.push(`${architecture} has ${sizeBytes} bytes`)
  }
  const [first, second] = models as [DemoModel, DemoModel]
  const differ = [...first.answers].filter(
    ([file, { said }]) => second.answers.get(file)?.said !== said,
  )
  const share = differ.length / first.answers.size
  say(
    `${condition.id}: the two disagree on ${(100 * share).toFixed(1)} % of ${first.answers.size} test images`,
  )
  if (share < MIN_DISAGREEMENT) problems.push('the two models hardly ever disagree')
  return problems
}

async function publish(
  model: DemoModel,
  { condition, tags }: { readonly condition: SynthCondition; readonly tags: readonly string[] },
): Promise<void> {
  const { manifest } = await readManifest(model.dir)
  const { schema: _schema, files: _files, ...fields } = manifest
  await writeManifest(model.dir, { ...fields, tags: [...tags] })
  const goal = join(options.models, condition.id, manifest.name, 'v1')
  await rm(goal, { recursive: true, force: true })
  await moveFolder(model.dir, goal)
  say(`${condition.id}: wrote ${manifest.name}${tags.includes('default') ? ' (default)' : ''}`)
}

const wanted = SYNTH_CONDITIONS.filter(
  ({ id }) => !options.condition || options.condition.includes(id),
)
const failures: string[] = []
for (const condition of wanted) {
  const workDir = await mkdtemp(join(tmpdir(), 'roentgen-demo-'))
  try {
    await makeDemonstration(condition, workDir)
  } catch (error) {
    failures.push(messageOf(error))
    say(`${condition.id}: NOT GOOD ENOUGH: ${messageOf(error)}`)
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}
if (failures.length > 0) process.exitCode = 1
