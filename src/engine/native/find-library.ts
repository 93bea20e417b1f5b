// Where TensorFlow's native library for TF.js is, if it is installed. Looks at files only: loads nothing.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The optional dependency, and its CPU-only sister, which a user may have installed instead. */
export const LIBRARIES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const

export interface NativeLibrary {
  readonly name: string
  readonly version: string
  /** Folder of the npm package. */
  readonly dir: string
  /** Whether its install script has run: the package is small, what it fetches is not. */
  readonly isComplete: boolean
}

/**
 * The first of LIBRARIES that is complete, else the first that is there at all.
 * @param from a folder with node_modules in it or above it; Roentgen's own by default
 */
export function findLibrary(from?: string): NativeLibrary | undefined {
  const require = createRequire(from ? join(from, 'package.json') : import.meta.url)
  const found = LIBRARIES.map((name) => look(require, name)).filter((one) => one !== undefined)
  return found.find(({ isComplete }) => isComplete) ?? found[0]
}

function look(require: NodeJS.Require, name: string): NativeLibrary | undefined {
  try {
    const manifest = require.resolve(`${name}/package.json`)
    const dir = dirname(manifest)
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
    const isComplete =
      globSync('lib/napi-v*/tfjs_binding.node', { cwd: dir }).length > 0 &&
      existsSync(join(dir, 'deps'))
    return { name, version, dir, isComplete }
  } catch {
    return undefined
  }
}
