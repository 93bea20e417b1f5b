// Which engine computes: ONNX Runtime, or TensorFlow's native library where it is installed and a GPU makes it worth it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Config } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { findLibrary, type NativeLibrary } from './find-library.ts'

export type EngineName = 'onnx' | 'tensorflow'

export interface EngineChoice {
  readonly engine: EngineName
  /** Why, for a person. */
  readonly reason: string
  /** What to load for `tensorflow`. */
  readonly library?: NativeLibrary
}

const PROBE = fileURLToPath(new URL('./probe-library.ts', import.meta.url))
/** CUDA takes its time on the first start. */
const PROBE_MS = 120_000

/**
 * Asked for, TensorFlow is taken or the reason why not is thrown; `auto` takes it only when a GPU answers.
 * @throws AppError `unavailable`
 */
export async function chooseEngine({
  engine,
  tensorflowDir,
}: Pick<Config, 'engine' | 'tensorflowDir'>): Promise<EngineChoice> {
  if (engine === 'onnx') return { engine, reason: 'asked for by ROENTGEN_ENGINE' }
  const library = findLibrary(tensorflowDir)
  if (!library?.isComplete) {
    if (engine === 'auto') return onnx("TensorFlow's native library is not installed")
    throw new AppError(
      'unavailable',
      'ROENTGEN_ENGINE asks for TensorFlow, whose native library is not installed: run "roentgen engine install tensorflow", or unset it.',
    )
  }
  const gpu = await answersWithGpu(library)
  const name = `${library.name} ${library.version}`
  if (engine === 'tensorflow') {
    if (gpu === undefined) {
      throw new AppError(
        'unavailable',
        `ROENTGEN_ENGINE asks for TensorFlow, but ${name} does not load on this machine; unset it to compute with ONNX Runtime.`,
      )
    }
    const place = gpu ? 'on a GPU' : 'on the CPU, where ONNX Runtime is usually faster'
    return { engine, reason: `asked for by ROENTGEN_ENGINE; ${name} computes ${place}`, library }
  }
  if (gpu === undefined) return onnx(`${name} does not load on this machine`)
  if (!gpu) return onnx(`${name} is installed, but no GPU answers to it`)
  return { engine: 'tensorflow', reason: `a GPU answers to ${name}`, library }
}

function onnx(reason: string): EngineChoice {
  return { engine: 'onnx', reason }
}

/** Loads the library in a process of its own, which it may take down. Undefined when it does not load. */
async function answersWithGpu({ name, version, dir }: NativeLibrary): Promise<boolean | undefined> {
  try {
    const library = JSON.stringify({ name, version, dir })
    const { stdout } = await promisify(execFile)(process.execPath, [PROBE, library], {
      timeout: PROBE_MS,
    })
    const { gpu } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { gpu: boolean }
    return gpu
  } catch {
    return undefined
  }
}
