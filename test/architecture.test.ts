// The shape of the house: arrows between rooms run one way, files stay short, and a few modules have one importer only.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const MAX_LINES = 300

/** Each room and the rooms that it may import from, besides itself, errors.ts and config.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  imaging: [],
  engine: ['imaging'],
  package: ['imaging', 'engine'],
  registry: ['imaging', 'engine', 'package'],
  inference: ['imaging', 'engine', 'package'],
  training: ['imaging', 'engine', 'package', 'registry', 'inference'],
  server: ['imaging', 'engine', 'package', 'registry', 'inference', 'training', 'views'],
  cli: ['imaging', 'engine', 'package', 'registry', 'inference', 'training', 'server'],
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
  const wrong = local.filter(({ file, to }) => {
    const [from, target] = [roomOf(file), roomOf(to)]
    const allowed = MAY_IMPORT[from]
    return allowed && target !== from && target !== 'root' && !allowed.includes(target)
  })
  assert.deepEqual(
    wrong.map(({ file, to }) => `${file} -> ${to}`),
    [],
  )
})

test('no files lean on each other in a circle', () => {
  // Everything of the server takes the type of the home that puts it together.
  const edges = local.filter(({ to, typeOnly }) => !(typeOnly && to === 'src/app/application.ts'))
  const targets = Map.groupBy(edges, ({ file }) => file)
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
    sharp: /^(src\/imaging\/|src\/training\/synth\/|scripts\/|bench\/|test\/)/,
    'better-sqlite3': /^(src\/registry\/|test\/)/,
    chokidar: /^src\/registry\//,
    dcmjs: /^(src\/server\/dicom-export\/|test\/)/,
    pdfkit: /^src\/(server\/report|training\/plots)\//,
    // It blocks its thread: child processes and commands only.
    h5wasm: /^(src\/training\/keras\/|test\/)/,
    '@tensorflow/tfjs': /^(src\/engine\/|src\/training\/|bench\/|test\/)/,
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
