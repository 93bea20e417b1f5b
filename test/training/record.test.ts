// The record of a training: every file has its format, nothing is missing without a reason, and nothing private is in it.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os, { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import test, { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { readConfig, recordedEnvironment } from '../../src/config.ts'
import { parseCsv } from '../../src/package/csv.ts'
import { listFiles } from '../../src/package/package-paths.ts'
import type { TrainingMessage } from '../../src/training/job.ts'
import { FORMATS, jsonSchemaText, schemaFileOf } from '../../src/training/record/formats.ts'
import { runJob } from '../../src/training/run-job.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'
import { makeSensorTree } from '../support/training/sensor-tree.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FORMATS_DIR = join(ROOT, 'docs/formats')
const SECRET = 'planted-secret-7f3a'

const root = await mkdtemp(join(tmpdir(), 'roentgen-record-'))
after(() => rm(root, { recursive: true, force: true }))
const tree = await makeSensorTree(join(root, 'sys'), 97)
process.env.DATABASE_PASSWORD = SECRET
process.env.TF_XLA_FLAGS = `--dump=/home/${SECRET}`
process.env.OMP_NUM_THREADS = '2'

// A hot machine that cools as soon as the training takes its break.
const messages: TrainingMessage[] = []
const packageDir = join(root, 'package')
await runJob(
  {
    id: 'recorded',
    condition: { id: 'spots', name: 'Spots', bodyPart: 'chest' },
    datasetDir: await drawDataset(join(root, 'spots'), 60),
    datasetName: 'spots',
    architecture: 'tiny_cnn',
    preset: 'quick',
    threads: 2,
    workDir: root,
    packageDir,
    hyperparameters: {
      batchSize: 16,
      imageSize: 32,
      epochs: 2,
      int8: true,
      thermal: { threads: 1, dutyCycle: 0.9, minBreakSeconds: 0 },
    },
  },
  {
    control: { wish: 'go on' },
    thermal: { ...readConfig({}).thermal, sensorsDir: tree.root },
    report: (message) => {
      messages.push(message)
      if (message.type === 'thermal' && message.sentence !== null) void tree.heat(50)
    },
  },
)
const paths = await listFiles(packageDir)
const text = (path: string): string => readFileSync(join(packageDir, path), 'utf8')
const parsed = (path: string): unknown => JSON.parse(text(path))

test('every JSON file of a record has a format, and follows it in code and in docs/formats', () => {
  for (const format of FORMATS) {
    if (format.isOptional && !paths.includes(format.file)) continue
    assert.ok(paths.includes(format.file), format.file)
    const inCode = format.schema.safeParse(parsed(format.file))
    assert.ok(inCode.success, `${format.file}: ${inCode.error && z.prettifyError(inCode.error)}`)
    const schema = JSON.parse(readFileSync(join(FORMATS_DIR, schemaFileOf(format)), 'utf8'))
    const inDocs = z.fromJSONSchema(schema).safeParse(parsed(format.file))
    assert.ok(inDocs.success, `${format.file}: ${inDocs.error && z.prettifyError(inDocs.error)}`)
  }
})

test('every file of a package that the checklist of the seeds points at is in it', () => {
  const checklist = readFileSync(join(ROOT, 'docs/guide/seeds.md'), 'utf8')
  const named = new Set([...checklist.matchAll(/`package ([^`]+)`/g)].map(([, file = '']) => file))
  assert.ok(named.size > 15, `${named.size} files`)
  assert.deepEqual(
    [...named].filter((file) => !paths.includes(file)),
    [],
  )
})

test('every JSON file of a package has a format, but for what TF.js itself defines', () => {
  const known = new Set(FORMATS.map(({ file }) => file))
  const json = paths.filter((path) => path.endsWith('.json') && !path.startsWith('models/tfjs/'))
  assert.deepEqual(
    json.filter((path) => !known.has(path)),
    [],
  )
})

test('the model card ends with every file of the package and what it was made with', () => {
  const card = text('README.md')
  assert.match(card, /^## Environment$/m)
  assert.match(card, /^- Roentgen [\d.]+, Node v[\d.]+, ONNX Runtime [\d.]+, 1 thread; /m)
  const rows = new Map([...card.matchAll(/^\| `([^`]+)` \| .* \| (.*) \|$/gm)].map(pair))
  assert.deepEqual(
    paths.filter((path) => path !== 'README.md' && !rows.get(path)),
    [],
  )
})

function pair([, key = '', value = '']: RegExpMatchArray): [string, string] {
  return [key, value]
}

test('a format refuses a bare null and a field that is not there', () => {
  const format = FORMATS.find(({ file }) => file === 'results/environment.json')
  const environment = parsed('results/environment.json') as Record<string, unknown>
  const { python: _, ...without } = environment
  const schema = readFileSync(join(FORMATS_DIR, 'environment.schema.json'), 'utf8')
  const inDocs = z.fromJSONSchema(JSON.parse(schema))
  for (const wrong of [without, { ...environment, python: null }]) {
    assert.equal(format?.schema.safeParse(wrong).success, false)
    assert.equal(inDocs.safeParse(wrong).success, false)
  }
})

test('the schemas in docs/formats are those of the code (node scripts/formats.ts writes them)', () => {
  const wanted = FORMATS.map(schemaFileOf)
  assert.deepEqual(
    readdirSync(FORMATS_DIR)
      .filter((name) => name.endsWith('.json'))
      .sort(),
    wanted.toSorted(),
  )
  for (const format of FORMATS) {
    const there = readFileSync(join(FORMATS_DIR, schemaFileOf(format)), 'utf8')
    assert.equal(there, jsonSchemaText(format), schemaFileOf(format))
  }
})

test('no null stands without a reason beside it', () => {
  for (const { file, isServed } of FORMATS) {
    if (isServed || !paths.includes(file)) continue
    assert.deepEqual(unexplained(parsed(file), file), [])
  }
})

function unexplained(value: unknown, path: string, explained = false): string[] {
  if (value === null) return explained ? [] : [path]
  if (typeof value !== 'object') return []
  const own = typeof (value as { reason?: unknown }).reason === 'string'
  return Object.entries(value as object).flatMap(([key, one]) =>
    unexplained(one, `${path}/${key}`, own),
  )
}

test('everything that the guide names is where it says', () => {
  const rows = [
    ...readFileSync(join(ROOT, 'docs/guide/record.md'), 'utf8').matchAll(
      /^\| ([^|]+?) \| `([^`|]+)` \| (.*?) ?\|$/gm,
    ),
  ]
  assert.ok(rows.length > 100, `${rows.length} rows`)
  const missing = rows.filter(([, , file = '', where = '']) => !isThere(file, where))
  assert.deepEqual(
    missing.map((row) => row[0]),
    [],
  )
})

test('every file of a package that the checklist of the seeds names is in it', () => {
  const list = readFileSync(join(ROOT, 'docs/guide/seeds.md'), 'utf8')
  const named = new Set([...list.matchAll(/`package ([^`]+)`/g)].map((match) => match[1] ?? ''))
  assert.ok(named.size > 10)
  assert.deepEqual(
    [...named].filter((path) => !existsSync(join(packageDir, path))),
    [],
  )
})

function isThere(file: string, where: string): boolean {
  if (!existsSync(join(packageDir, file))) return false
  const column = /^column `(.+)`$/.exec(where)?.[1]
  if (column) return parseCsv(text(file)).every((row) => Object.hasOwn(row, column))
  const pointer = /^`(\/.*)`$/.exec(where)?.[1]
  return pointer === undefined ? where === '' : reaches(parsed(file), pointer.split('/').slice(1))
}

/** `*` is every member, of which there must be one. */
function reaches(value: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return value !== undefined && value !== null
  if (typeof value !== 'object' || value === null) return false
  if (first !== '*') return reaches((value as Record<string, unknown>)[first], rest)
  const members = Object.values(value)
  return members.length > 0 && members.every((one) => reaches(one, rest))
}

test('no path, no name of the machine and no secret is in a package', () => {
  const texts = paths.filter((path) => /\.(json|csv|txt|md)$/.test(path)).map(text)
  const forbidden = [SECRET, root, ROOT, os.homedir().length > 1 ? os.homedir() : root]
  // A short name of a machine may be part of any word.
  if (os.hostname().length > 3) forbidden.push(os.hostname())
  for (const word of forbidden) {
    assert.ok(
      texts.every((one) => !one.includes(word)),
      word,
    )
  }
  const environment = parsed('results/environment.json') as {
    environmentVariables: { set: Record<string, unknown> }
  }
  const { set } = environment.environmentVariables
  assert.equal(set.OMP_NUM_THREADS, '2')
  assert.match(JSON.stringify(set.TF_XLA_FLAGS), /left out/)
  assert.deepEqual(recordedEnvironment({ API_TOKEN: SECRET }).set, {})
})

test('a thermal pause is in the record with what it did, and was told while it lasted', () => {
  const thermal = parsed('results/thermal.json') as {
    breaks: { count: number; list: { fromCelsius: number; toCelsius: number; endedBy: string }[] }
    timeLost: { duration: { seconds: number } }
    safety: { hottestCpuCelsius: number }
    sensors: { kind: string }[]
  }
  assert.equal(thermal.breaks.count, 1)
  const [only] = thermal.breaks.list
  assert.deepEqual([only?.fromCelsius, only?.toCelsius, only?.endedBy], [97, 50, 'cool again'])
  assert.ok(thermal.timeLost.duration.seconds > 0)
  assert.equal(thermal.safety.hottestCpuCelsius, 97)
  assert.equal(thermal.sensors.length, 3)
  const told = messages.flatMap((one) => (one.type === 'thermal' ? [one.sentence] : []))
  assert.deepEqual(told, [
    'Thermal pause: the processor is at 97 °C; training resumes below 80 °C.',
    null,
  ])
  const train = parsed('configs/train.json') as { environment: { threads: number } }
  assert.equal(train.environment.threads, 1, 'the limit of threads holds')
})

test('metadata has the digests of every file that was written before it', () => {
  const { files } = parsed('results/metadata.json') as {
    files: { path: string; sha256: string; md5: string }[]
  }
  const manifest = parsed('manifest.json') as { files: typeof files }
  const known = new Map(manifest.files.map((one) => [one.path, one]))
  assert.deepEqual(
    [...known.keys()].filter((path) => !files.some((one) => one.path === path)),
    ['results/metadata.json'],
  )
  for (const { path, sha256, md5 } of files) {
    assert.deepEqual([sha256, md5], [known.get(path)?.sha256, known.get(path)?.md5], path)
  }
})

test('packages from before this record keep the formats that serving reads', () => {
  const models = join(ROOT, 'models')
  const dirs = readdirSync(models, { recursive: true, withFileTypes: true })
    .filter((one) => one.name === 'manifest.json' && /-demo\/v1$/.test(one.parentPath))
    .map((one) => one.parentPath)
  assert.ok(dirs.length >= 12)
  for (const dir of dirs) {
    for (const { file, schema, isServed } of FORMATS) {
      if (!existsSync(join(dir, file))) {
        assert.ok(!isServed, `${relative(ROOT, dir)} lacks ${file}`)
        continue
      }
      const content = JSON.parse(readFileSync(join(dir, file), 'utf8'))
      const result = schema.safeParse(content)
      const isOlder = !isServed && (content.schema ?? 1) === 1
      assert.ok(result.success || isOlder, `${relative(ROOT, dir)}/${file}`)
    }
  }
})
