// Runs test files given as arguments in their order, prints what the tests say, and tells the process that started it the
// counts, the files that failed and how long each took. Order, repeats and the last line are test.mjs's.
import { resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const TIMEOUT_MS = 600_000

const [concurrency, ...files] = process.argv.slice(2)
const failedFiles = new Set()
const seconds = {}
let counts = { passed: 0, failed: files.length, cancelled: 0, skipped: 0 }

const tests = run({
  files: files.map((file) => resolve(file)),
  concurrency: Number(concurrency),
  timeout: TIMEOUT_MS,
})
tests.on('test:fail', ({ file }) => file && failedFiles.add(file))
tests.on('test:summary', (summary) => {
  if (summary.file === undefined) counts = summary.counts
  else seconds[summary.file] = summary.duration_ms / 1000
})
tests.compose(spec).pipe(process.stdout)
tests.on('end', () => {
  const { passed, failed, cancelled, skipped } = counts
  process.send?.({
    passed,
    failed: failed + cancelled,
    skipped,
    failedFiles: [...failedFiles],
    seconds,
  })
})
