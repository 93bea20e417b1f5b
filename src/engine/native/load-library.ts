// Loads TensorFlow's native library as TF.js' backend `tensorflow`, into the very TF.js that everything here uses.
import { createRequire, registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { AppError, messageOf } from '../../errors.ts'
import '../quiet-tfjs.ts'
import type { NativeLibrary } from './find-library.ts'

const NATIVE_BACKEND = 'tensorflow'

export interface LoadedLibrary {
  /** Whether it computes on a GPU. */
  readonly gpu: boolean
}

interface NativeBackend {
  readonly isUsingGpuDevice?: boolean
}

/**
 * A second call does nothing. TF.js' default backend stays the cpu; what shall run natively says so with `onNative`.
 * @throws AppError `unavailable`
 */
export function loadLibrary(library: NativeLibrary): LoadedLibrary {
  if (!tf.findBackend(NATIVE_BACKEND)) {
    restoreUtilFunctions()
    const own = pathToFileURL(createRequire(import.meta.url).resolve('@tensorflow/tfjs')).href
    // Installed elsewhere, the library would bring a TF.js of its own, whose tensors are not ours.
    const hooks = registerHooks({
      resolve: (specifier, context, next) =>
        specifier === '@tensorflow/tfjs'
          ? { url: own, format: 'commonjs', shortCircuit: true }
          : next(specifier, context),
    })
    try {
      createRequire(join(library.dir, 'package.json'))('./')
    } catch (cause) {
      throw new AppError(
        'unavailable',
        `TensorFlow's library (${library.name} ${library.version}) does not load on this machine.`,
        { cause: new Error(messageOf(cause), { cause }) },
      )
    } finally {
      hooks.deregister()
      tf.setBackend('cpu')
    }
  }
  const backend = tf.findBackend(NATIVE_BACKEND) as NativeBackend | null
  return { gpu: backend?.isUsingGpuDevice === true }
}

/** Runs `use` with TF.js computing on TensorFlow. @throws AppError `unavailable` when it was not loaded */
export function onNative<T>(use: () => T): T {
  if (!tf.findBackend(NATIVE_BACKEND)) {
    throw new AppError('unavailable', "TensorFlow's library is not loaded in this process.")
  }
  const before = tf.getBackend()
  tf.setBackend(NATIVE_BACKEND)
  try {
    return use()
  } finally {
    tf.setBackend(before)
  }
}

/** Node 23 took out a function that the library (last released before) still calls, and warns of another. */
function restoreUtilFunctions(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
  util.isArray = Array.isArray
}
