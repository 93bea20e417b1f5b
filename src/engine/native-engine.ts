// Is ONNX Runtime's binary for this machine there? Told by its file, without loading it: the web process never does.
import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { AppError } from '../errors.ts'

/** @throws AppError `unavailable` with what to do */
export function checkNativeEngine({
  platform,
  arch,
}: {
  platform: string
  arch: string
} = process): void {
  let found: readonly string[] = []
  try {
    const main = createRequire(import.meta.url).resolve('onnxruntime-node')
    const folder = join(dirname(dirname(main)), 'bin')
    found = globSync(`*/${platform}/${arch}/onnxruntime_binding.node`, { cwd: folder })
  } catch {
    found = []
  }
  if (found.length > 0) return
  throw new AppError(
    'unavailable',
    `The inference engine (ONNX Runtime) for ${platform}-${arch} is not installed; run "npm ci" in the folder of Roentgen. ` +
      'It exists for Linux, macOS on Apple silicon and Windows.',
  )
}
