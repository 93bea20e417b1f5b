// `npm test`: types, lint and format, then every test; ends with one line of counts.
// `npm test -- test/registry` runs the tests of one folder only. ROENTGEN_SLOW_TESTS=1 adds the long ones.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const BIN = `${ROOT}node_modules/.bin/`

function run(title, file, args, { onLine } = {}) {
  console.log(`\n== ${title}`)
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
    let rest = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text) => {
      process.stdout.write(text)
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine?.(line)
    })
    child.on('error', (error) => {
      console.error(`${title} could not be started: ${error.message}`)
      resolve(false)
    })
    child.on('close', (code) => resolve(code === 0))
  })
}

const wanted = process.argv.slice(2)
const folders = wanted.length > 0 ? wanted : ['test']
const files = folders
  .flatMap((path) =>
    path.endsWith('.ts') ? [path] : globSync(`${path}/**/*.test.ts`, { cwd: ROOT }),
  )
  .sort()
const counts = { pass: 0, fail: 0, skipped: 0 }

const typesOk = await run('types', `${BIN}tsc`, [])
const styleOk = await run('lint and format', `${BIN}biome`, ['ci', '--colors=off', '.'])
const testsOk = await run(
  `tests (${files.length} files)`,
  `${BIN}node`,
  ['--test', '--test-reporter=spec', '--test-concurrency=2', '--test-timeout=600000', ...files],
  {
    onLine(line) {
      const match = /^ℹ (pass|fail|skipped) (\d+)$/.exec(line)
      if (match) counts[match[1]] = Number(match[2])
    },
  },
)

const checks = [typesOk, styleOk]
const passed = counts.pass + checks.filter(Boolean).length
const failed = Math.max(counts.fail, testsOk ? 0 : 1) + checks.filter((ok) => !ok).length
console.log(`\n${passed} passed, ${failed} failed, ${counts.skipped} skipped`)
process.exit(failed === 0 ? 0 : 1)
