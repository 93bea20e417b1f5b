// The shape of the house: arrows between rooms run one way, files stay short, and a few modules have one importer only.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const MAX_LINES = 300
const MAX_FILES = 20

/** The rooms in their order: each may import from those before it, and from the files directly in src. */
const ORDER = [
  'processes',
  'imaging',
  'engine',
  'statistics',
  'package',
  'registry',
  'inference',
  'architectures',
  'formats',
  'conversion',
  'evaluation',
  'training',
  'synthetic',
  'app',
  'server',
  'cli',
]
/** Neighbours in that order that must not know each other: app joins them. */
const STRANGERS: Readonly<Record<string, string>> = { inference: 'registry' }
/** Views are pure functions of data; what reports and messages share with pages lies in views/shared. */
const MAY_USE_VIEWS: Readonly<Record<string, RegExp>> = {
  app: /^views\/shared\//,
  server: /^views\//,
}

interface Import {
  readonly file: string
  readonly target: string
  readonly typeOnly: boolean
}

const sources = globSync('{src,views,scripts,bench,test}/**/*.ts', { cwd: ROOT })

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const found = text.matchAll(
    /^(?:import|export)\s(type\s)?[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)/gm,
  )
  return [...found].map((match) => ({
    file,
    target: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }))
}

function roomOf(file: string): string {
  const parts = file.split('/')
  if (parts[0] === 'src') return parts.length > 2 ? (parts[1] ?? '') : 'root'
  return parts[0] ?? ''
}

const imports = sources.flatMap(importsOf)
const local = imports
  .filter((one) => one.target.startsWith('.'))
  .map((one) => ({ ...one, to: relative(ROOT, resolve(ROOT, dirname(one.file), one.target)) }))

test('every room imports only from the rooms below it', () => {
  const isAllowed = ({ file, to }: { file: string; to: string }): boolean => {
    const [from, target] = [roomOf(file), roomOf(to)]
    if (!file.startsWith('src/') || from === 'root' || target === from) return true
    if (target === 'views') return MAY_USE_VIEWS[from]?.test(to) === true
    if (!to.startsWith('src/') || target === 'root') return true
    if (STRANGERS[from] === target) return false
    return ORDER.includes(target) && ORDER.indexOf(target) < ORDER.indexOf(from)
  }
  assert.deepEqual(
    local.filter((one) => !isAllowed(one)).map(({ file, to }) => `${file} -> ${to}`),
    [],
  )
  const rooms = new Set(sources.filter((file) => file.startsWith('src/')).map(roomOf))
  assert.deepEqual([...rooms].sort(), [...ORDER, 'root'].sort())
})

test('no files lean on each other in a circle, not even for their types', () => {
  const targets = Map.groupBy(local, ({ file }) => file)
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      return
    }
    if (done.has(file)) return
    for (const { to } of targets.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of sources) visit(file, [])
  assert.deepEqual(circles, [])
})

test('only the wiring knows the whole application', () => {
  const wiring = /^src\/(server\/(app|main)|cli\/in-process)\.ts$/
  const importers = local.filter(
    ({ file, to }) => file.startsWith('src/') && to === 'src/app/application.ts',
  )
  assert.deepEqual(
    importers.map(({ file }) => file).filter((file) => !wiring.test(file)),
    [],
  )
})

test('src/server speaks HTTP only: each of its files takes part in a request or an answer', () => {
  const isHttp = (file: string): boolean => {
    const targets = imports.filter((one) => one.file === file).map(({ target }) => target)
    return (
      /^src\/server\/(http|openapi|main|app)/.test(file) ||
      targets.some((target) => /^(hono|zod|@hono)|\/http\/|\/views\//.test(target))
    )
  }
  assert.deepEqual(
    sources.filter((file) => file.startsWith('src/server/') && !isHttp(file)),
    [],
  )
  const others = imports.filter(
    ({ file, target }) =>
      file.startsWith('src/') && !file.startsWith('src/server/') && /^@?hono/.test(target),
  )
  assert.deepEqual(
    others.map(({ file, target }) => `${file} -> ${target}`),
    [],
  )
})

test('no folder of code holds more than 20 files', () => {
  const files = globSync('{src,views,test,bench,scripts,public}/**/*.{ts,js,mjs,css,py}', {
    cwd: ROOT,
  }).filter((file) => !/^public\/vendor\/|\/fixtures\/|\/recorded\//.test(file))
  const folders = Map.groupBy(files, (file) => dirname(file))
  assert.deepEqual(
    [...folders].filter(([, list]) => list.length > MAX_FILES).map(([folder]) => folder),
    [],
  )
})

test('one function predicts: only inferImage takes an image through a version', () => {
  const callers = sources.filter(
    (file) =>
      file.startsWith('src/') &&
      !file.startsWith('src/inference/') &&
      /\bdiagnose\(|\.lease(Version)?\(/.test(readFileSync(join(ROOT, file), 'utf8')),
  )
  assert.deepEqual(callers, [
    // Which lease an image gets is chosen beside it.
    'src/app/diagnosis/active-lease.ts',
    'src/app/diagnosis/infer-image.ts',
    'src/app/diagnosis/predict-image.ts',
    'src/app/diagnosis/traffic-split.ts',
  ])
})

test('one function adds versions: nothing else registers a package that comes, replays it or asks the policy', () => {
  const steps = /\b(registerPackage|importPackageZip|replayGolden|followPolicy)\b/
  const importers = sources.filter((file) => {
    if (!file.startsWith('src/') || file.startsWith('src/inference/')) return false
    const text = readFileSync(join(ROOT, file), 'utf8')
    const lines = text.match(/^import [^'"]*from/gm) ?? []
    return lines.some((line) => steps.test(line))
  })
  assert.deepEqual(importers, [
    'src/registry/versions/add-version.ts',
    // Unpacks what register-package.ts takes.
    'src/registry/versions/exchange-package.ts',
  ])
})

test('views take data types only', () => {
  const wrong = local.filter(
    ({ file, to, typeOnly }) => roomOf(file) === 'views' && to.startsWith('src/') && !typeOnly,
  )
  assert.deepEqual(
    wrong.map(({ file, to }) => `${file} -> ${to}`),
    [],
  )
})

test('only the named files touch the native and the single-purpose libraries', () => {
  const owners: Readonly<Record<string, RegExp>> = {
    'onnxruntime-node': /^(src\/engine\/session\.ts|bench\/|test\/)/,
    sharp: /^(src\/imaging\/|src\/synthetic\/|scripts\/|bench\/|test\/)/,
    'better-sqlite3': /^(src\/registry\/|test\/)/,
    chokidar: /^src\/registry\//,
    dcmjs: /^(src\/app\/dicom\/export\/|test\/)/,
    pdfkit: /^src\/(app\/reports|evaluation\/plots)\//,
    // It blocks its thread: child processes and commands only.
    h5wasm: /^(src\/formats\/keras\/|test\/)/,
    '@tensorflow/tfjs':
      /^(src\/(engine|architectures|formats|conversion|evaluation|training)\/|bench\/|test\/)/,
  }
  const wrong = imports.filter(
    ({ file, target, typeOnly }) => !typeOnly && owners[target] && !owners[target].test(file),
  )
  assert.deepEqual(
    wrong.map(({ file, target }) => `${file} -> ${target}`),
    [],
  )
})

test('no file is longer than 300 lines', () => {
  const long = [...sources, ...globSync('{public,bin,scripts}/**/*.{js,mjs,css}', { cwd: ROOT })]
    .filter((file) => !file.startsWith('public/vendor/'))
    .filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > MAX_LINES + 1)
  assert.deepEqual(long, [])
})

test('only config.ts reads the environment and nothing imports a default', () => {
  const readers = sources.filter(
    (file) =>
      file.startsWith('src/') &&
      file !== 'src/config.ts' &&
      /\bprocess\.env\b/.test(readFileSync(join(ROOT, file), 'utf8')),
  )
  assert.deepEqual(readers, [])
  const defaults = sources.filter((file) =>
    /^export default/m.test(readFileSync(join(ROOT, file), 'utf8')),
  )
  assert.deepEqual(defaults, [])
})
