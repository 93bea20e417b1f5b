// The child process of an import: TF.js and somebody else's model stay in here. Gets one ImportJob, answers once, ends.
import { join } from 'node:path'
import { isAppError, messageOf } from '../../errors.ts'
import { unzipSafely } from '../../package/unzip-package.ts'
import type { ImportJob, ImportReply } from './import-job.ts'
import { tfjsFolder } from './tfjs-folder.ts'
import { writeImportedPackage } from './write-imported-package.ts'

process.once('message', (job: ImportJob) => {
  void work(job).then((reply) => process.send?.(reply, () => process.disconnect()))
})

async function work(job: ImportJob): Promise<ImportReply> {
  try {
    return { ok: true, sha256: await writeImportedPackage(await convert(job), job) }
  } catch (error) {
    const cause = messageOf(isAppError(error) ? (error.cause ?? error) : error)
    if (isAppError(error)) return { ok: false, code: error.code, message: error.message, cause }
    const message = 'The model could not be converted; the log says more.'
    return { ok: false, code: 'invalid-package', message, cause }
  }
}

/** TF.js is loaded for TF.js models only. */
async function convert(job: ImportJob) {
  if (job.kind === 'onnx') return (await import('./convert-onnx.ts')).convertOnnx(job.path)
  if (job.kind === 'tfjs-folder') return convertFolder(job.path)
  const unpacked = join(job.workDir, 'unpacked')
  const { paths } = await unzipSafely(job.path, { toDir: unpacked })
  return convertFolder(join(unpacked, tfjsFolder(paths)))
}

async function convertFolder(folder: string) {
  const { isGraphModel } = await import('../../engine/layers-model.ts')
  return (await isGraphModel(folder))
    ? (await import('./convert-graph-model.ts')).convertGraphModel(folder)
    : (await import('./convert-tfjs.ts')).convertTfjs(folder)
}
