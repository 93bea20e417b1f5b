// `npm test`: types, lint and format, then every test; ends with one line of counts.
// A file that failed runs once more, alone, to tell what fails only beside others; both count as failed.
// `npm test -- test/registry` runs the tests of one folder only. ROENTGEN_SLOW_TESTS=1 adds the long ones.
import { fork, spawn } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const BIN = `${ROOT}node_modules/.bin/`
const CACHE = `${ROOT}node_modules/.cache/roentgen`
/** How long each file took last time, so that the longest start first and none is left over at the end. */
const TIMES = `${CACHE}/test-seconds.json`
/** Where nothing was measured yet: folders whose files start servers and browsers, the longest first. */
const LONG_FOLDERS = ['browser', 'acceptance', 'cli', 'server', 'app', 'inference', 'engine']
const MAX_AT_ONCE = 4
// What was compiled once need not be compiled in every test file again.
process.env.NODE_COMPILE_CACHE ??= CACHE

const given = process.argv.slice(2)
const folders = given.length > 0 ? given : ['test']
const files = longestFirst(
  folders.flatMap((path) =>
    path.endsWith('.ts') ? [path] : globSync(`${path}/**/*.test.ts`, { cwd: ROOT }),
  ),
)

const checks = await Promise.all([
  check('types', 'tsc', []),
  check('lint and format', 'biome', ['ci', '--colors=off', '.']),
])
const atOnce = Math.min(MAX_AT_ONCE, availableParallelism())
const first = await runTests(`tests (${files.length} files)`, files, atOnce)
keepTimes(first.seconds)
const suspects = files.filter((file) => first.failedFiles.has(file))
// Many failures have one cause that a repeat does not find.
const again =
  suspects.length > 0 && suspects.length <= Math.max(3, files.length / 10)
    ? await runTests(`once more, alone: ${suspects.join(', ')}`, suspects, 1)
    : undefined
const unsteady = again ? suspects.filter((file) => !again.failedFiles.has(file)) : []
if (unsteady.length > 0) {
  const names = unsteady.join(', ')
  console.log(
    `\nUNSTEADY: ${unsteady.length} of the files failed beside others and passed alone: ${names}`,
  )
}
const passed = first.passed + checks.filter(Boolean).length
const failed = first.failed + checks.filter((ok) => !ok).length
console.log(`\n${passed} passed, ${failed} failed, ${first.skipped} skipped`)
process.exit(failed === 0 ? 0 : 1)

/** Runs a checker and prints what it said in one piece. */
function check(title, file, args) {
  return new Promise((resolve) => {
    const child = spawn(`${BIN}${file}`, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        said += text
      })
    }
    child.on('error', (error) => {
      console.error(`${title} could not be started: ${error.message}`)
      resolve(false)
    })
    child.on('close', (code) => {
      console.log(`\n== ${title}\n${said.trim()}`)
      resolve(code === 0)
    })
  })
}

/** Counts, seconds by file, and the files of failed tests, as relative paths. */
function runTests(title, paths, concurrency) {
  console.log(`\n== ${title}`)
  return new Promise((resolve) => {
    let result
    const child = fork(join(ROOT, 'scripts/run-tests.mjs'), [String(concurrency), ...paths], {
      cwd: ROOT,
      execPath: `${BIN}node`,
    })
    child.on('message', (message) => {
      result = message
    })
    child.on('error', (error) => console.error(`${title} could not be started: ${error.message}`))
    child.on('close', () => {
      const found = result ?? {
        passed: 0,
        failed: paths.length,
        skipped: 0,
        failedFiles: [],
        seconds: {},
      }
      const named = found.failedFiles.map((file) => relative(ROOT, file))
      resolve({ ...found, failedFiles: new Set(named) })
    })
  })
}

function longestFirst(paths) {
  const times = readTimes()
  const guess = (path) => {
    const place = LONG_FOLDERS.indexOf(path.split('/')[1] ?? '')
    return place < 0 ? 0 : LONG_FOLDERS.length - place
  }
  const known = (path) => times[path] ?? guess(path)
  return paths.toSorted((a, b) => known(b) - known(a) || (a < b ? -1 : 1))
}

function readTimes() {
  try {
    return JSON.parse(readFileSync(TIMES, 'utf8'))
  } catch {
    return {}
  }
}

function keepTimes(seconds) {
  const times = readTimes()
  for (const [file, time] of Object.entries(seconds)) times[relative(ROOT, file)] = time
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(TIMES, JSON.stringify(times))
}
