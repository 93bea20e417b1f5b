// Runs before `npm start` and `npm test`: installs from the lockfile when that has not been done, else does nothing.
// Plain JavaScript for any Node >= 18, with nothing but the standard library, because nothing is installed yet.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const STAMP = `${ROOT}node_modules/.roentgen-installed`
const RUNTIME = `${ROOT}node_modules/.bin/node`
const MIN_OUTER_NODE = 18
const KEPT_OUTPUT_CHARS = 4000

/** What an installation depends on: the lockfile and the machine. */
function wantedStamp() {
  const lock = readFileSync(`${ROOT}package-lock.json`)
  return `${createHash('sha256').update(lock).digest('hex')} ${platform()} ${arch()}\n`
}

function isInstalled(wanted) {
  const runtimeThere = existsSync(RUNTIME) || existsSync(`${RUNTIME}.cmd`)
  return runtimeThere && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted
}

/** npm as it was started, so that the Node that this very installation replaces is never the one that runs it. */
function npmCommand() {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env
  if (cli && node) return { file: node, first: [cli] }
  return { file: platform() === 'win32' ? 'npm.cmd' : 'npm', first: [] }
}

/** Runs npm without its chatter; what it said comes back only when it fails. */
function npm(args) {
  const { file, first } = npmCommand()
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...first, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: file.endsWith('.cmd'),
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said = (said + chunk).slice(-KEPT_OUTPUT_CHARS)
      })
    }
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(said.trim()))))
  })
}

async function install(wanted) {
  console.log('Roentgen: installing its parts, once; this takes about a minute …')
  const started = Date.now()
  const ticker = process.stdout.isTTY
    ? setInterval(() => process.stdout.write('.'), 2000)
    : undefined
  try {
    // Install scripts are not run: two of them download hundreds of megabytes that nobody asked for. The one that is
    // needed, the runtime's, is run by name.
    await npm([
      'ci',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--include=dev',
      '--include=optional',
    ])
    await npm(['rebuild', 'node', '--foreground-scripts'])
  } finally {
    clearInterval(ticker)
    if (ticker) process.stdout.write('\n')
  }
  writeFileSync(STAMP, wanted)
  console.log(`Roentgen: installed in ${Math.round((Date.now() - started) / 1000)} s.`)
}

/** Training is worth its library on a GPU; without it everything works on the CPU, so that no failure stops a start. */
function installGpuLibrary() {
  const gpu = spawnSync('nvidia-smi', ['-L'], { timeout: 10_000, encoding: 'utf8' })
  if (gpu.status !== 0 || !gpu.stdout.includes('GPU')) return
  console.log(
    "Roentgen: a GPU answers; fetching TensorFlow's library to train on it, at most 10 minutes …",
  )
  const words = ['bin/roentgen', 'engine', 'install', 'tensorflow', '--timeout', '10']
  spawnSync(process.execPath, words, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
}

const major = Number(process.versions.node.split('.')[0])
if (major < MIN_OUTER_NODE) {
  console.error(
    `Roentgen needs Node ${MIN_OUTER_NODE} or newer to install; this is ${process.version}.`,
  )
  process.exit(1)
}
const wanted = wantedStamp()
if (!isInstalled(wanted)) {
  try {
    await install(wanted)
    installGpuLibrary()
  } catch (error) {
    console.error('Roentgen could not install its parts. What npm said last:\n')
    console.error(error.message)
    console.error(
      '\nCheck that this machine reaches its npm registry and that the disk has 1.5 GB free, then run the command again.',
    )
    process.exit(1)
  }
}
