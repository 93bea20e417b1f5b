// What a form sends as a batch: images, zips of images, a folder below the data root; all of them in that order.
import { readFile, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import type { Batch, BatchItem, BatchSource } from '../../app/batches/batch-item.ts'
import { openFolder } from '../../app/batches/folder-images.ts'
import { looksLikeZip, openZip } from '../../app/batches/zip-images.ts'
import { checkAnswerable } from '../../app/diagnosis/predict-image.ts'
import type { Uses } from '../../app/services.ts'
import { tooLarge, type Upload, type UploadedFile } from '../../app/uploaded-files.ts'
import { AppError } from '../../errors.ts'
import { datasetFolder, parseDatasetPath } from '../../training/dataset/dataset-path.ts'
import { conditionRequired, explainOf, fieldOf, frameOf } from '../http/image-fields.ts'
import { readUpload } from '../http/uploads.ts'

/** Files of one form. */
const MAX_FILES = 1000

/** @throws AppError before the first image is read: what is wrong with the form, the condition, a zip or the folder */
export async function openBatch(
  services: Uses<'config' | 'db' | 'makeReady' | 'store'>,
  request: Request,
): Promise<Batch> {
  const { maxUploadBytes, maxImportBytes } = services.config
  const upload = await readUpload(request, {
    maxFileBytes: maxUploadBytes,
    maxBytesOf: { zip: maxImportBytes },
    maxFiles: MAX_FILES,
    spoolDir: services.store.stagingDir,
    keepsOversized: true,
  })
  const sources: BatchSource[] = []
  const close = async () => {
    for (const source of sources.splice(0)) await source.close()
    await upload.dispose()
  }
  try {
    const reading = await batchRequest(services, upload)
    const items: BatchItem[] = []
    let isNamed = false
    for (const file of upload.files) {
      if (file.field !== 'image' && file.field !== 'zip') continue
      const path = file.path ?? ''
      if (file.field === 'zip' || (await looksLikeZip(path))) {
        const most = file.field === 'zip' ? maxImportBytes : maxUploadBytes
        if (file.size > most) throw tooLarge(most)
        const source = await openZip(path, { maxBytes: maxUploadBytes })
        sources.push(source)
        items.push(...source.items)
        isNamed = true
      } else items.push(uploaded(file, maxUploadBytes))
    }
    const folder = fieldOf(upload.fields, 'folder')
    if (folder !== undefined) {
      const source = await openFolder(await folderBelow(services, folder), {
        maxBytes: maxUploadBytes,
      })
      items.push(...source.items)
      isNamed = true
    }
    if (items.length === 0) {
      const sentence =
        'Send one or more images as files in the field "image", a zip of them in "zip", or name a folder inside the dataset folder in "folder".'
      throw new AppError('image-required', sentence)
    }
    return { request: reading, items, isNamed, close }
  } catch (error) {
    await close()
    throw error
  }
}

function uploaded(file: UploadedFile, maxBytes: number): BatchItem {
  const read = async () => {
    if (file.size > maxBytes) throw tooLarge(maxBytes)
    return readFile(file.path ?? '')
  }
  return { name: file.fileName, read }
}

/** Also a link in the data root leads to nothing outside of it. @throws AppError `invalid`, `unknown-dataset` */
async function folderBelow(services: Uses<'config'>, text: string): Promise<string> {
  const root = services.config.datasetsDir
  const folder = await realpath(await datasetFolder(root, parseDatasetPath(text)))
  const top = await realpath(root)
  if (folder === top || folder.startsWith(top.endsWith(sep) ? top : top + sep)) return folder
  throw new AppError('invalid', 'The folder is outside the dataset folder.', {
    extra: { field: 'folder' },
  })
}

/** What holds for every image is checked before the first one is read. */
async function batchRequest(
  services: Uses<'db' | 'makeReady'>,
  upload: Upload,
): Promise<Batch['request']> {
  const { fields } = upload
  const condition = fieldOf(fields, 'condition')
  if (!condition) throw conditionRequired()
  const version = fieldOf(fields, 'version')
  return {
    condition: await checkAnswerable(services, { condition, version }),
    version,
    frame: frameOf(fields),
    operatingPoint: fieldOf(fields, 'operatingPoint'),
    explain: explainOf(fields),
    layer: fieldOf(fields, 'layer'),
    target: fieldOf(fields, 'target'),
  }
}
