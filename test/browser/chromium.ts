// A real headless Chromium for the browser tests and the screenshots, unpacked from an npm package: no system browser,
// and where the machine lacks its libraries or fonts, those that come with the package.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packed, { inflate } from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const PACKAGE = join(MODULES, '@sparticuz/chromium')

/** As few as do: no sandbox, as tests run as root in containers; no GPU, no shared memory, same text everywhere. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-extensions',
  '--font-render-hinting=none',
  '--force-color-profile=srgb',
  '--hide-scrollbars',
]

/** ROENTGEN_TEST_BROWSER names another Chromium, for machines that the packed one (Linux on x64) does not run on. */
export async function launchBrowser(): Promise<Browser> {
  const { ROENTGEN_TEST_BROWSER: other } = process.env
  if (other) return chromium.launch({ executablePath: other, args: FLAGS })
  const folder = await unpack()
  const executablePath = join(folder, 'chromium')
  return chromium.launch({
    executablePath,
    args: FLAGS,
    env: {
      ...cleanEnvironment(),
      ...libraries(executablePath, folder),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  })
}

/**
 * Unpacks once for each version of the package. The folder is renamed into place when it is whole, so that test
 * files that start together cannot find half a browser.
 */
async function unpack(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))
  const cache = join(MODULES, '.cache')
  const folder = join(cache, `chromium-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const staging = mkdtempSync(join(cache, 'unpacking-'))
  const before = process.env.TMPDIR
  // The package unpacks into the folder for temporary files and takes no other.
  process.env.TMPDIR = staging
  try {
    await packed.executablePath()
    await inflate(join(PACKAGE, 'bin/al2023.tar.br'))
    writeFileSync(join(staging, 'fonts.conf'), fontsConfig(folder))
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  try {
    renameSync(staging, folder)
  } catch (error) {
    rmSync(staging, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** The libraries of the package where the machine's own do not suffice. */
function libraries(executablePath: string, folder: string): Record<string, string> {
  const needs = execFileSync('ldd', [executablePath], { encoding: 'utf8' })
  return needs.includes('not found') ? { LD_LIBRARY_PATH: join(folder, 'al2023/lib') } : {}
}

/** The package's one typeface first, so that pages look alike on every machine; the machine's own for what it lacks. */
/** The cache is named in full: fontconfig would else make it where the tests were started, in the clone. */
const fontsConfig = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/font-cache</cachedir>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family><family>Liberation Mono</family></prefer></alias>
</fontconfig>
`

function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter((pair) => pair[1] !== undefined)
  return Object.fromEntries(entries) as Record<string, string>
}
