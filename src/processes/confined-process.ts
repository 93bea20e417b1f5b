// How a child process is confined that works on what strangers send: an empty folder, an environment of its own, the program and
// the files that it is given to read, to write only where it is told, and no network where the system can forbid that. What
// holds on which system is in docs/guide/confinement.md; start-child.ts starts it.
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemEnvironment } from '../config.ts'
import { emptyFolder } from './empty-folder.ts'
import { launcherOf } from './launcher.ts'

export interface Confinement {
  /** All that its environment holds beside what the system needs to start a program. */
  readonly env?: Readonly<Record<string, string>>
  /** Files and folders beside the program itself. */
  readonly mayRead?: readonly string[]
  /** Files and folders; they may be read too. */
  readonly mayWrite?: readonly string[]
  /** It starts threads of Node's. */
  readonly hasThreads?: boolean
  /** The kernel refuses it more memory of its own than this, where `prlimit` is there. */
  readonly maxDataBytes?: number
}

/** sharp looks there which C library the system has. */
const SYSTEM_FILES = ['/usr/bin/ldd']

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = programFiles()

export interface ConfinedPlace {
  /** What stands before Node on the command line. */
  readonly launcher: readonly string[]
  /** Options of Node. */
  readonly permissions: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

export function confine(o: Confinement): ConfinedPlace {
  return {
    launcher: launcherOf(o),
    permissions: permissions(o),
    cwd: emptyFolder(),
    env: { ...systemEnvironment(), ...o.env },
  }
}

/** Node's permission model: files, child processes and threads of JavaScript. Native code it does not hold. */
function permissions({ mayRead = [], mayWrite = [], hasThreads }: Confinement): string[] {
  const written = mayWrite.flatMap(bothPaths)
  const read = [...PROGRAM, ...mayRead.flatMap(bothPaths), ...written]
  return [
    '--permission',
    // Its warning that addons are not held would be the last words of each process that dies.
    '--disable-warning=SecurityWarning',
    '--allow-addons',
    ...(hasThreads ? ['--allow-worker'] : []),
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...written.map((path) => `--allow-fs-write=${path}`),
  ]
}

/** The source and the installed packages, which may lie in a folder above; never the folder that holds data and models. */
function programFiles(): readonly string[] {
  const found = [join(ROOT, 'src'), join(ROOT, 'package.json'), ...SYSTEM_FILES]
  for (let folder = ROOT, above = ''; folder !== above; folder = dirname(folder)) {
    above = dirname(folder)
    for (const name of ['node_modules', 'package.json']) found.push(join(folder, name))
    if (above === folder) break
  }
  return [...new Set(found.filter((path) => existsSync(path)).flatMap(bothPaths))]
}

/** A path is checked as it is written and where it leads. */
function bothPaths(path: string): string[] {
  try {
    return [...new Set([path, realpathSync(path)])]
  } catch {
    return [path]
  }
}
