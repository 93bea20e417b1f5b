// Which converter reads which kind of file. A new format is its converter, a line here and one in formats/detect-format.ts.
// Each is loaded when it is needed: TF.js takes a second.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../../errors.ts'
import { modelFileKind } from '../../formats/detect-format.ts'
import { zipContents } from '../../formats/zip-contents.ts'
import { headOf } from '../../package/file-head.ts'
import { unzipSafely } from '../../package/unzip-package.ts'
import { readZipNames } from '../../package/zip-names.ts'
import { type ConvertedModel, classCount } from './converted-model.ts'
import type { ImportJob } from './import-job.ts'

interface Source {
  /** A file, or a folder with model.json. */
  readonly path: string
  /** What came along with it in a zip. */
  readonly folder?: string
  readonly job: ImportJob
}

type Kind = Exclude<ImportJob['kind'], 'zip'>

const CONVERTERS: Readonly<Record<Kind, (source: Source) => Promise<ConvertedModel>>> = {
  onnx: async ({ path, folder, job }) => {
    const { convertOnnx } = await import('./convert-onnx.ts')
    const { preprocessing } = job.fields
    return convertOnnx(path, { folder, preprocessing, classes: classCount(job) })
  },
  keras: async ({ path, folder, job }) => {
    const { convertKeras } = await import('./convert-keras.ts')
    const labels = folder === undefined ? undefined : await labelsIn(folder)
    return convertKeras(path, { workDir: job.workDir, fields: job.fields, labels })
  },
  'state-dict': async ({ path, job }) => {
    const { convertStateDict } = await import('./convert-state-dict.ts')
    return convertStateDict(path, job.fields)
  },
  'tfjs-folder': async ({ path, job }) => {
    const { isGraphModel } = await import('../../engine/layers-model.ts')
    return (await isGraphModel(path))
      ? (await import('./convert-graph-model.ts')).convertGraphModel(path)
      : (await import('./convert-tfjs.ts')).convertTfjs(path, job.fields)
  },
}

export interface Converted {
  readonly model: ConvertedModel
  /** With the kind that it turned out to be. */
  readonly job: ImportJob
}

/** @throws AppError `invalid-package`, `invalid` in one sentence */
export async function convertFile(job: ImportJob): Promise<Converted> {
  return job.kind === 'zip'
    ? convertZip(job, { path: job.path, folder: undefined })
    : convertAs(job.kind, { path: job.path, job })
}

async function convertAs(kind: Kind, source: Source): Promise<Converted> {
  return { job: { ...source.job, kind }, model: await CONVERTERS[kind](source) }
}

/** @param folder set for a zip that was in a zip, which holds no further one */
async function convertZip(
  job: ImportJob,
  { path, folder }: { readonly path: string; readonly folder: string | undefined },
): Promise<Converted> {
  const contents = zipContents(await readZipNames(path))
  if (contents.holds === 'keras' || contents.holds === 'state-dict') {
    return convertAs(contents.holds, { path, job, ...(folder !== undefined && { folder }) })
  }
  if (folder !== undefined) {
    throw new AppError('invalid-package', 'The zip holds another zip; send the model itself.')
  }
  const unpacked = join(job.workDir, 'unpacked')
  await unzipSafely(path, { toDir: unpacked })
  if (contents.holds === 'tfjs-folder') {
    return convertAs('tfjs-folder', { path: join(unpacked, contents.folder), job })
  }
  const inner = join(unpacked, contents.path)
  const kind = modelFileKind(await headOf(inner), contents.path)
  const beside = dirname(inner)
  return kind === 'zip'
    ? convertZip(job, { path: inner, folder: beside })
    : convertAs(kind, { path: inner, folder: beside, job })
}

const MAX_LABELS_BYTES = 64 * 1024

/** Teachable Machine lays labels.txt beside its model: a number and a label on each line. */
async function labelsIn(folder: string): Promise<readonly string[] | undefined> {
  const text = await readFile(join(folder, 'labels.txt'), 'utf8').catch(() => '')
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines.length === 0 || text.length > MAX_LABELS_BYTES) return undefined
  const isNumbered = lines.every((line, i) => line.startsWith(`${i} `))
  return lines.map((line) => (isNumbered ? line.replace(/^\d+ /, '') : line).trim().slice(0, 100))
}
