// What a model was trained on and with: system, hardware, versions of what computes, state of the source. No host name,
// user, environment variable or path: a package travels.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const COMPUTING = ['@tensorflow/tfjs', 'onnxruntime-node', 'sharp', 'node'] as const

export interface Machine {
  readonly system: Readonly<Record<string, string | number>>
  readonly versions: Readonly<Record<string, string>>
  readonly git: {
    readonly commit: string
    readonly branch: string
    readonly changed: boolean
  } | null
  /** Why git is null. */
  readonly gitReason: string | null
}

export async function describeMachine(): Promise<Machine> {
  const cpus = os.cpus()
  const git = await describeGit()
  return {
    system: {
      platform: os.platform(),
      release: os.release(),
      architecture: os.arch(),
      cpu: cpus[0]?.model.trim() ?? 'unknown',
      cores: cpus.length,
      memoryBytes: os.totalmem(),
      endianness: os.endianness(),
    },
    versions: { runtime: process.version, v8: process.versions.v8, ...packageVersions() },
    git,
    gitReason: git ? null : 'The product was not started from a git checkout.',
  }
}

function packageVersions(): Record<string, string> {
  const require = createRequire(import.meta.url)
  const { version, dependencies } = require('../../../package.json') as {
    version: string
    dependencies: Record<string, string>
  }
  const versions = COMPUTING.map((name) => [name, dependencies[name] ?? 'unknown'] as const)
  return { roentgen: version, ...Object.fromEntries(versions) }
}

async function describeGit(): Promise<Machine['git']> {
  const git = async (...args: string[]): Promise<string> => {
    const run = await promisify(execFile)('git', args, { cwd: ROOT, timeout: 5000 })
    return run.stdout.trim()
  }
  try {
    return {
      commit: await git('rev-parse', 'HEAD'),
      branch: await git('rev-parse', '--abbrev-ref', 'HEAD'),
      changed: (await git('status', '--porcelain', '--untracked-files=no', '--', 'src')) !== '',
    }
  } catch {
    return null
  }
}

/** Layer by layer: name, kind, output shape, parameters. Takes any tfjs-layers model. */
export function summariseLayers(model: {
  readonly layers: readonly {
    readonly name: string
    readonly outputShape: unknown
    readonly trainable: boolean
    getClassName(): string
    countParams(): number
  }[]
}) {
  return model.layers.map((layer) => ({
    name: layer.name,
    type: layer.getClassName(),
    outputShape: layer.outputShape,
    parameters: layer.countParams(),
    trainable: layer.trainable,
  }))
}

/** 83.5 as "1 min 24 s". */
export function readableDuration(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  const parts = [hours > 0 ? `${hours} h` : '', hours + minutes > 0 ? `${minutes} min` : '']
  return [...parts, `${whole % 60} s`].filter(Boolean).join(' ')
}
