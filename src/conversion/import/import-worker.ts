// The child process of an import: TF.js and somebody else's model stay in here. Gets one ImportJob, answers once, ends.
import { dirname, join } from 'node:path'
import { isAppError, messageOf } from '../../errors.ts'
import { isKerasZip } from '../../formats/keras/keras-zip.ts'
import { tfjsFolder } from '../../formats/tfjs-folder.ts'
import { isTorchZip } from '../../formats/torch/torch-zip.ts'
import { unzipSafely } from '../../package/unzip-package.ts'
import { readZipNames } from '../../package/zip-names.ts'
import { answerParent } from '../../processes/child-answer.ts'
import type { ConvertedModel } from './converted-model.ts'
import type { ImportJob, ImportReply } from './import-job.ts'
import { writeImportedPackage } from './write-imported-package.ts'

answerParent(work)

async function work(given: ImportJob): Promise<ImportReply> {
  try {
    const { model, job } = await convert(given)
    return { ok: true, sha256: await writeImportedPackage(model, job) }
  } catch (error) {
    const cause = messageOf(isAppError(error) ? (error.cause ?? error) : error)
    if (isAppError(error)) return { ok: false, code: error.code, message: error.message, cause }
    const message = 'The model could not be converted; see the log.'
    return { ok: false, code: 'invalid-package', message, cause }
  }
}

interface Converted {
  readonly model: ConvertedModel
  /** With the kind that it turned out to be. */
  readonly job: ImportJob
}

/** TF.js is loaded for the models that need it only. */
async function convert(job: ImportJob): Promise<Converted> {
  if (job.kind === 'onnx') {
    return { job, model: await (await import('./convert-onnx.ts')).convertOnnx(job.path) }
  }
  if (job.kind === 'keras') return convertKerasFile(job)
  if (job.kind === 'state-dict') return convertTorchFile(job)
  if (job.kind === 'tfjs-folder') return { job, model: await convertFolder(job.path) }
  const names = await readZipNames(job.path)
  if (isKerasZip(names)) return convertKerasFile({ ...job, kind: 'keras' })
  if (isTorchZip(names)) return convertTorchFile({ ...job, kind: 'state-dict' })
  const unpacked = join(job.workDir, 'unpacked')
  const { paths } = await unzipSafely(job.path, { toDir: unpacked })
  const [onnx, ...others] = paths.filter((path) => path.toLowerCase().endsWith('.onnx'))
  if (onnx !== undefined && others.length === 0) {
    const path = join(unpacked, onnx)
    const { convertOnnx } = await import('./convert-onnx.ts')
    return { job: { ...job, kind: 'onnx' }, model: await convertOnnx(path, dirname(path)) }
  }
  return { job, model: await convertFolder(join(unpacked, tfjsFolder(paths))) }
}

async function convertKerasFile(job: ImportJob): Promise<Converted> {
  const { convertKeras } = await import('./convert-keras.ts')
  const { path, workDir, fields } = job
  return { job, model: await convertKeras(path, { workDir, name: fields.name }) }
}

async function convertTorchFile(job: ImportJob): Promise<Converted> {
  const { convertStateDict } = await import('./convert-state-dict.ts')
  return { job, model: await convertStateDict(job.path, job.fields) }
}

async function convertFolder(folder: string): Promise<ConvertedModel> {
  const { isGraphModel } = await import('../../engine/layers-model.ts')
  return (await isGraphModel(folder))
    ? (await import('./convert-graph-model.ts')).convertGraphModel(folder)
    : (await import('./convert-tfjs.ts')).convertTfjs(folder)
}
